"""Which device a name means, and which of several GPUs is whose."""

from __future__ import annotations

import pytest
import torch

from core.machine.part import Part
from core.network.devices import NoDevice, device_of, device_title


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two GPUs; the numbers of those that a process has taken."""
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    return taken


def test_each_process_has_a_gpu_of_its_own(two_gpus: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(device_of("auto", Part(3, 4, local=1))) == "cuda:1" and two_gpus == [1]
    assert str(device_of("cpu", Part(3, 4, local=1))) == "cpu"
    with pytest.raises(NoDevice, match="there are 2 GPUs here, too few for 3 processes"):
        device_of("cuda", Part(2, 3, local=2))
    with pytest.raises(NoDevice, match="each takes its own GPU"):
        device_of("cuda:1", Part(0, 2))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert str(device_of("auto", Part(0, 2))) == "cpu"


def test_alone_a_process_takes_the_device_that_it_is_told(two_gpus: list[int]) -> None:
    assert [str(device_of(name)) for name in ("auto", "cpu", "cuda", "cuda:1")] == ["cuda", "cpu", "cuda", "cuda:1"]
    with pytest.raises(
        NoDevice, match=r"device 'cuda:2' is not available here\. Allowed: auto, cpu, cuda, cuda:0, cuda:1"
    ):
        device_of("cuda:2")
    assert str(device_of("auto:1")) == "cuda:1"
    assert not two_gpus, "nothing changes for others"


def test_without_a_gpu_all_is_computed_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert str(device_of("auto:1")) == "cpu", "the driver shows GPUs, but this PyTorch knows none"
    assert str(device_of("auto")) == "cpu" and device_title(device_of("auto")) == "cpu"
    with pytest.raises(NoDevice, match=r"device 'cuda' is not available here\. Allowed: auto, cpu"):
        device_of("cuda")
