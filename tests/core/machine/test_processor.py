"""The processor's name as Linux tells it, and what stands for it where nothing is told."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from core.machine.processor import abilities, available_cores, processor

TWO_CORES = """processor\t: 0
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
flags\t\t: fpu: yes

processor\t: 1
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
"""


def test_linux_tells_name_and_numbers(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(TWO_CORES)
    assert processor(file) == "AMD EPYC, family 25 model 17"
    assert abilities(file) == "fpu: yes" and abilities(tmp_path / "nowhere") == ""
    file.write_text(f"model name : {'x' * 999}")
    assert len(processor(file)) == 200, "a capsule takes no more"


def test_without_a_name_python_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("processor : 0\nCPU implementer : 0x41\n")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert processor(tmp_path / "cpuinfo") == processor(tmp_path / "nowhere") == "arm"
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert processor(tmp_path / "nowhere") == platform.machine()


def test_a_space_says_how_many_cores_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    all_of_them = available_cores()
    for told, cores in (("1", 1), ("1.5", 1), ("0.5", 1), ("9999", all_of_them), ("", all_of_them), ("x", all_of_them)):
        monkeypatch.setenv("CPU_CORES", told)
        assert available_cores() == all_of_them  # elsewhere the variable is somebody else's
        monkeypatch.setenv("SPACE_ID", "someone/onlybn")
        assert available_cores() == cores
        monkeypatch.delenv("SPACE_ID")
