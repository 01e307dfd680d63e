"""`python -m core`: in this process where only its words and files matter, else in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch

from core import __main__ as program

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "core")
TRAIN = [
    *("train", "--architecture", "resnet-8", "--policy", "batchnorm", "--dataset", "digits"),
    *("--epochs", "3", "--threads", "1"),
]
Done = subprocess.CompletedProcess[str]


def core(*words: str | Path, input: str = "") -> Done:
    """Run the command line in this process, which is afterwards as before; PyTorch is there already."""
    out, err = StringIO(), StringIO()
    threads = torch.get_num_threads()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["core", *map(str, words)])
        patch.setattr(sys, "stdin", StringIO(input))
        patch.setattr("core.machine.memory.keep_freed_memory", lambda: None)
        try:
            code = program.main()
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        finally:
            torch.set_num_threads(threads)
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def core_process(*words: str | Path, **options: Any) -> Done:
    """Run the command line in a process of its own, to its end."""
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=240, **options)


def start(*words: str | Path) -> subprocess.Popen[str]:
    """The command line in a process of its own, which has just started."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *map(str, words)], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


def lines(text: str) -> list[dict[str, Any]]:
    """The events that were printed."""
    return [json.loads(line) for line in text.splitlines()]
