"""A server of a checkout, and questions to it over connections of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_connection, socket

PATIENCE_S = 30.0


@dataclass
class Server:
    """A running server: its port, its process, and the file of its log."""

    port: int
    pid: int
    log: Path

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> int:
        """The status of an answer, read whole; 0: the connection ended before."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()

    def open(self, head: bytes = b"") -> socket:
        connection = create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        if head:
            connection.sendall(head)
        return connection

    def cpu_s(self) -> float:
        """Seconds of the processor so far, those of threads that have ended included."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(root: Path, database: str | None) -> Iterator[Server]:
    """A server of the checkout at `root`, without a worker, with a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(), Path(folder) / "log.txt"
        env = {name: value for name, value in os.environ.items() if not name.startswith("ONLYBN_")}
        env |= {"ONLYBN_DATA": folder, "ONLYBN_PORT": str(port), "ONLYBN_EMBEDDED_WORKER": "false"}
        env |= {"ONLYBN_EXAMPLES": "false", **({"ONLYBN_DATABASE_URL": database} if database else {})}
        with log.open("wb") as written:
            process = subprocess.Popen([sys.executable, "-m", "app"], cwd=root, env=env, stdout=written, stderr=written)
        server = Server(port, process.pid, log)
        try:
            until = time.monotonic() + 120
            while server.ask("GET", "/healthz") != 200:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(log.read_text())
                time.sleep(0.2)
            time.sleep(3.0)  # it prepares some answers ahead
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
