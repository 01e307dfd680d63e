"""One trainer process: start it, read its lines, stop it, say how it ended. Knows nothing of events and stores."""

from __future__ import annotations

import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

READ_BYTES = 1 << 20
MAX_LINE_BYTES = 64 << 20
LAST_WORDS_BYTES = 4000


class TrainerProcess:
    """A running child process. Its standard input is a pipe that ends when this process does: the child's lifeline.

    Must be started in a thread that lives as long as the child, because on Linux the child also asks to be killed
    when the thread that started it ends. Standard error is appended to the file `log`.
    """

    def __init__(self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._log_began = errors.tell()
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C in the terminal is for the worker, which stops its trainers in order
            )
        assert self._process.stdout is not None
        self._output: IO[bytes] = self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ)
        self._rest = b""
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.end()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is over and all that it wrote has been read."""
        return self._ended

    def read(self, timeout_s: float) -> list[bytes]:
        """The complete lines that arrive within `timeout_s`; returns as soon as there are some."""
        if self._ended:
            return []
        if not self._selector.select(timeout_s):
            # A grandchild may hold the pipe open after the trainer itself is gone.
            self._ended = self._is_over()
            return []
        chunk = os.read(self._output.fileno(), READ_BYTES)  # what is there; `read` would wait for more
        if not chunk:
            self._ended = True
            return []
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError(f"the trainer wrote a line of more than {MAX_LINE_BYTES >> 20} MB")
        return lines

    def tell(self, line: bytes) -> None:
        """Write a line to its standard input. Raises OSError if the process is gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def renew(self, known: float) -> None:
        """Tell it that it may work, as was known at the monotonic time `known`. One that does not listen misses it."""
        assert self._process.stdin is not None
        pipe = select.poll()
        pipe.register(self._process.stdin, select.POLLOUT)
        with suppress(OSError):  # it is gone
            if pipe.poll(0):
                os.write(self._process.stdin.fileno(), b"%f\n" % known)

    def terminate(self) -> None:
        """Ask it to stop: it finishes its step, saves and ends."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all that it started, now."""
        self._signal(signal.SIGKILL)

    def end(self, grace_s: float = 5.0) -> int:
        """Wait for the end, kill what is left of it, and return its exit code (minus the signal's number)."""
        if self._process.returncode is not None:
            return self._process.returncode
        deadline = time.monotonic() + grace_s
        while not self._is_over() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.kill()  # before `wait`: until then no other process can get its number
        code = self._process.wait()
        self._selector.close()
        self._output.close()
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # what it was told and did not read
                self._process.stdin.close()
        return code

    def last_words(self) -> list[str]:
        """The last lines that it wrote to standard error."""
        with self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_began, size - LAST_WORDS_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
        return [line.strip() for line in lines if line.strip(" =-")]  # torchrun draws rulers

    def _is_over(self) -> bool:
        """Like Popen.poll, but leaves the process to be collected by `end`."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, flags) is not None

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is not None:
            return  # its number may be another's by now
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass  # it has ended by itself
        except PermissionError:
            pass  # macOS raises this for a group of which only a zombie is left
