"""Broken, cut, foreign, malformed checkpoints: a training that finds one ends like an undisturbed one, runs no code.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.checkpoints`.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.training.checkpoint import NAME
from tests.faults.campaign import points
from tests.faults.campaign.forks import Doom, ended, fork
from tests.faults.campaign.report import Order, Report, main

PATIENCE_S = 60.0
Change = Callable[[Path, random.Random], None]


class Trap:
    """An object that leaves a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.file,)


def _write(path: Path, content: bytes) -> None:
    """Put `content` in place of a checkpoint, under the name that its digest demands."""
    match = NAME.fullmatch(path.name)
    assert match is not None
    path.unlink()
    digest = hashlib.sha256(content).hexdigest()[:16]
    path.with_name(f"step-{match[1]}-a{match[2]}-{digest}.safetensors").write_bytes(content)


def _apart(content: bytes) -> tuple[dict[str, Any], bytes]:
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def _together(header: Any, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def flipped(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 8, 100))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.choice((0, 1, 7, 8, chance.randrange(len(content))))])


def longer(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.randrange(1, 5000)))


def noise(path: Path, chance: random.Random) -> None:
    _write(path, chance.randbytes(chance.randrange(0, 5000)))


def zeroes(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content))
    content[start : start + 4096] = bytes(len(content[start : start + 4096]))
    path.write_bytes(content)


def foreign(path: Path, chance: random.Random) -> None:
    """The state of another spec."""
    header, body = _apart(path.read_bytes())
    state = json.loads(header["__metadata__"]["state"])
    state["spec"] = hashlib.sha256(chance.randbytes(8)).hexdigest()
    _write(path, _together({**header, "__metadata__": {"state": json.dumps(state)}}, body))


def pickled(path: Path, _chance: random.Random) -> None:
    _write(path, pickle.dumps(Trap(path.parent.parent / "trapped")))


def number(path: Path, chance: random.Random) -> None:
    """One of the numbers of the state is another, of another kind, or missing."""
    header, body = _apart(path.read_bytes())
    state = json.loads(header["__metadata__"]["state"])
    wrong = [None, "1", -1, 1e308, [], {}, True, 10**30, float("nan"), float("inf"), "x" * 10_000]
    key = chance.choice([key for key in state if key != "tensors"])
    if chance.random() < 0.3:
        del state[key]
    else:
        state[key] = chance.choice([value for value in wrong if not (key == "elapsed_s" and value == 1e308)])
    _write(path, _together({**header, "__metadata__": {"state": json.dumps(state)}}, body))


def shape(path: Path, chance: random.Random) -> None:
    """A tensor has another name, shape or kind, or is missing."""
    header, body = _apart(path.read_bytes())
    name = chance.choice([name for name in header if name != "__metadata__"])
    row = header.pop(name)
    match chance.randrange(4):
        case 0:
            header[f"{name}x"] = row
        case 1:
            header[name] = {**row, "shape": [1, *row["shape"]]}
        case 2:
            header[name] = {**row, "dtype": "I32" if row["dtype"] == "F32" else "F16"}
    _write(path, _together(header, body))


def head(path: Path, chance: random.Random) -> None:
    """A header that is none: too long, too deep, not JSON, without metadata."""
    header, body = _apart(path.read_bytes())
    heads: list[bytes] = [
        (1 << 63).to_bytes(8, "little") + body,
        _together(b"[" * 100_000, body),
        _together(b'{"__metadata__":' * 1000, body),
        _together(b"\xff\xfe", body),
        _together({key: row for key, row in header.items() if key != "__metadata__"}, body),
        _together({**header, "__metadata__": {"state": "[" * 50_000}}, body),
        _together({**header, "__metadata__": {"state": "null"}}, body),
    ]
    _write(path, chance.choice(heads))


def no_file(path: Path, chance: random.Random) -> None:
    """Something else that bears the name: a folder, a link into nowhere, itself or endless zeroes, a pipe."""
    path.unlink()
    match chance.randrange(5):
        case 0:
            path.mkdir()
        case 1:
            path.symlink_to("nowhere")
        case 2:
            path.symlink_to(path.name)
        case 3:
            path.symlink_to("/dev/zero")
        case 4:
            os.mkfifo(path)


CHANGES: list[Change] = [flipped, cut, longer, noise, zeroes, foreign, pickled, number, shape, head, no_file]


def _undisturbed(top: Path, log: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of a training that was killed in its middle, and the result of one that was not."""
    told = top / "told.json"
    os.waitpid(fork(points.training(top / "undisturbed", 1, Doom(), told), log), 0)
    found = json.loads(told.read_text())
    middle = found.pop("calls") * 2 // 3
    os.waitpid(fork(points.training(top / "killed", 1, Doom(middle)), log), 0)
    return top / "killed", found


def mutations(order: Order) -> Report:
    """Change the newest checkpoint, or all, in one of a hundred ways, and let the training go on."""
    import core.training.loop  # noqa: F401  # once, before the forks; it computes in them only

    report, chance = Report("changed checkpoints", "real", "none", n=order.of(100)), order.random("checkpoints")
    kinds: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="onlybn-campaign-") as name:
        top, log = Path(name), Path(name) / "log.txt"
        killed, undisturbed = _undisturbed(top, log)
        for index in range(report.n):
            change = CHANGES[index % len(CHANGES)]
            folder, told = top / f"{index}", top / f"{index}.json"
            shutil.copytree(killed, folder)
            found = sorted(path for path in (folder / "checkpoints").iterdir() if NAME.fullmatch(path.name))
            for path in found if chance.random() < 0.5 else found[-1:]:
                change(path, chance)
            pid, began = fork(points.training(folder, 2, Doom(), told), log), time.monotonic()
            while not (over := ended(pid)) and time.monotonic() - began < PATIENCE_S:
                time.sleep(0.02)
            if not over:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            result = json.loads(told.read_text()) if told.exists() else {}
            result.pop("calls", None)
            if result != undisturbed:
                why = "another result" if result else "no result" if over else f"no end within {PATIENCE_S:.0f} s"
                report.wrong.append(f"{index} ({change.__name__}): {why}")
            if (folder / "trapped").exists():
                report.wrong.append(f"{index} ({change.__name__}): it ran code")
            kinds[change.__name__] = kinds.get(change.__name__, 0) + 1
            shutil.rmtree(folder)
        if report.wrong:
            print(log.read_text()[-3000:], file=sys.stderr)
    report.figures = dict(kinds)
    return report


FAULTS = {"mutations": mutations}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
