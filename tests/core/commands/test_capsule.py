"""What `python -m core capsule` says of the place where a capsule was made."""

from __future__ import annotations

from core.commands.capsule import elsewhere
from core.run.capsule import Origin


def test_on_a_gpu_another_number_format_is_elsewhere() -> None:
    def told(made_by: str) -> str | None:
        return elsewhere("Some GPU", "torch, bf16", Origin(torch="2", device="Some GPU", threads=1, engine=made_by))

    assert told("torch, fp32 (fused for CPUs only)") == "it was computed in fp32, here in bf16"
    assert told("torch, bf16, CUDA graph") is None and told("") is None
