"""The worker that the web server brings along: `python -m jobs` as a child process, restarted when it dies.

It knows nothing about the worker's tasks. The child holds the other end of a pipe (`--lifeline`), so it also ends when
this process is killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "jobs", "--lifeline")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
HEALTHY_S = 60.0
"""After a child has lived this long, the pause before the next restart is short again."""
GRACE_S = 20.0


class EmbeddedWorker:
    """Keeps one child process alive until `stop`. Calls `say` with a line when the child dies."""

    def __init__(self, command: Sequence[str] = COMMAND, say: Callable[[str], None] = print) -> None:
        self._command = list(command)
        self._say = say
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        # The kernel kills the child when the *thread* that started it ends, so that thread waits for the child.
        self._thread = threading.Thread(target=self._keep_alive, name="embedded-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The process id of the living child, else None."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def stop(self, grace_s: float = GRACE_S) -> None:
        """End the child: SIGTERM, so that it writes checkpoints and returns its runs; SIGKILL after `grace_s`."""
        with self._lock:  # no new child starts after this
            self._stopping.set()
            child = self._child
        try:
            if child is not None:
                child.terminate()
                child.wait(grace_s)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            if child is not None:
                child.kill()
        if self._thread.is_alive():
            self._thread.join(grace_s)

    def _keep_alive(self) -> None:
        pause_s = FIRST_PAUSE_S
        while (child := self._start_child()) is not None:
            born = time.monotonic()
            code = child.wait()
            if child.stdin:
                child.stdin.close()
            if self._stopping.is_set():
                return
            if time.monotonic() - born >= HEALTHY_S:
                pause_s = FIRST_PAUSE_S
            self._say(f"The worker ended with {_words(code)}; starting another in {pause_s:g} s.")
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _start_child(self) -> subprocess.Popen[bytes] | None:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        with self._lock:
            if self._stopping.is_set():
                return None
            # A session of its own, so that Ctrl-C in the terminal reaches only the web server, which stops the worker.
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # only greetings for manual starts; errors are on stderr
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
            return self._child


def _words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
