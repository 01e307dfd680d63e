"""Saves the state of a training atomically and loads it verified. A damaged file is put aside, never used.

A file is `step-00000400-a1-<first 16 digits of its SHA-256>.safetensors`: the name says the step, the attempt that
wrote it, and what its content must be. Frozen weights are not in it: the seed gives them back.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from core.machine.files import write_atomically
from core.network.scores import Mean, Scores
from core.network.tensors import dense
from core.run.computation import Computed
from core.run.events import Checkpointed

KEEP = 2

logger = logging.getLogger("onlybn.checkpoint")
NAME = re.compile(r"step-(\d{8,})-a(\d+)-([0-9a-f]{16})\.safetensors")


@dataclass(frozen=True)
class State:
    """All that a training needs, beside its spec, to continue as if it had never stopped.

    `tensors`: trained parameters, running statistics and, as `optimizer/...`, the optimiser's state. `window`: sums
    over what was trained on since the last train point; `passed`: sums over the epoch before these. `train` and `test`:
    the last values of the curves. `computed`: how γ and β were computed (core/run/computation.py), once they are.
    """

    step: int
    elapsed_s: float
    window: Mean
    passed: Mean
    train: Scores | None
    test: Scores
    tensors: dict[str, Tensor]
    computed: Computed | None = None


class CheckpointFolder:
    """The checkpoints of one run, below its folder. Keeps the newest KEEP."""

    def __init__(self, folder: Path, spec_digest: str, attempt: int) -> None:
        self.folder = folder / "checkpoints"
        self.spec_digest, self.attempt = spec_digest, attempt

    def save(self, state: State) -> Checkpointed:
        """Write `state`; when this returns, it survives a kill and a power failure. Raises OSError."""
        computed = state.computed.model_dump() if state.computed else None
        numbers = {**asdict(state), "tensors": None, "computed": computed, "spec": self.spec_digest}
        content = save(dense(state.tensors), metadata={"state": json.dumps(numbers)})
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / f"step-{state.step:08d}-a{self.attempt}-{digest[:16]}.safetensors"
        write_atomically(path, content)
        self._forget_old(path)
        return Checkpointed(step=state.step, file=path.name, sha256=digest, size_bytes=len(content))

    def load(self, fits: Callable[[State], bool] = lambda _: True) -> tuple[State, Checkpointed] | None:
        """The newest good checkpoint that `fits` the training; None where there is none. Others are renamed to
        `bad-...`."""
        for path in self._newest_first():
            try:
                content = _content(path)
                state = self._read(path, content)
                good = fits(state)
            except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                logger.warning("The checkpoint %s cannot be used: %s", path.name, error)
                good = False
            if good:
                digest = hashlib.sha256(content).hexdigest()
                found = Checkpointed(step=state.step, file=path.name, sha256=digest, size_bytes=len(content))
                return state, found
            with suppress(OSError):
                path.rename(path.with_name(f"bad-{path.name}"))
        return None

    def _read(self, path: Path, content: bytes) -> State:
        """The state in `content`. Raises one of many errors if it is not that of this run at the step of its name."""
        match = NAME.fullmatch(path.name)
        if match is None or not hashlib.sha256(content).hexdigest().startswith(match[3]):
            raise ValueError("its content does not match its name")
        tensors, numbers = load(content), json.loads(read_metadata(content)["state"])
        if numbers.pop("spec") != self.spec_digest:
            raise ValueError("it belongs to another spec")
        if numbers["step"] != int(match[1]):
            raise ValueError("its step does not match its name")
        state = State(
            **{
                **numbers,
                "window": _mean(numbers["window"]),
                "passed": _mean(numbers.get("passed", {})),  # checkpoints from before version 0.3 have none
                "train": _scores(numbers["train"]) if numbers["train"] else None,
                "test": _scores(numbers["test"]),
                "tensors": tensors,
                "computed": Computed.model_validate(told) if (told := numbers.get("computed")) else None,
            }
        )
        if not (type(state.step) is int and _is_number(state.elapsed_s) and state.elapsed_s >= 0):
            raise ValueError("its step or time is not a number")
        return state

    def _newest_first(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        named = [(NAME.fullmatch(path.name), path) for path in self.folder.iterdir()]
        return [p for _, p in sorted(((int(m[1]), int(m[2])), p) for m, p in named if m)][::-1]

    def _forget_old(self, newest: Path) -> None:
        # A newer attempt may run somewhere and must keep its files: only those of this and of older attempts go.
        mine = [p for p in self._newest_first() if p != newest and int(NAME.fullmatch(p.name)[2]) <= self.attempt]  # type: ignore[index]
        for path in mine[KEEP - 1 :]:
            path.unlink(missing_ok=True)
        for left_over in self.folder.glob(".tmp-*"):
            left_over.unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    if not path.is_file():  # reading a pipe or a device might never end
        raise ValueError("it is not a file")
    return path.read_bytes()


def _mean(fields: dict[str, float]) -> Mean:
    mean = Mean(**fields)  # type: ignore[arg-type]
    counts = mean.correct, mean.correct5, mean.seen
    if not all(type(count) is int and count >= 0 for count in counts) or not isinstance(mean.loss, int | float):
        raise ValueError("its sums are not numbers")
    return mean


def _scores(values: list[float | None]) -> Scores:
    scores = Scores(*values)  # type: ignore[arg-type]
    if not all(_is_number(value) for value in scores[1:]) or not (scores.loss is None or _is_number(scores.loss)):
        raise ValueError("its scores are not numbers")
    return scores


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def read_metadata(content: bytes) -> dict[str, str]:
    """The `__metadata__` of safetensors bytes. Raises ValueError or KeyError where there is none."""
    size = int.from_bytes(content[:8], "little")
    return dict(json.loads(content[8 : 8 + size])["__metadata__"])
