"""Machines that share nothing: each has a data folder, a host name and a network of its own, and a worker to kill.

A machine is a process in new UTS and network namespaces, tied to this one by a virtual cable; PostgreSQL and Redis are
reached through a port on this end of the cable. Where that is not allowed, only the folders are separate.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ_BYTES = 1 << 16


def can_separate() -> bool:
    """Whether this system lets us make namespaces and cables."""
    if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        return False
    done = subprocess.run(["unshare", "-u", "-n", "ip", "link", "add", "onlybn0", "type", "veth"], capture_output=True)
    return done.returncode == 0


class Ports:
    """Passes connections to addresses of this machine on to servers of it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def open(self, address: str, server: tuple[str, int]) -> int:
        """Listen on a port of `address` for `server`. Returns its number."""

        async def begin() -> int:
            listening = await asyncio.start_server(lambda r, w: self._join(r, w, server), address, 0)
            return int(listening.sockets[0].getsockname()[1])

        return asyncio.run_coroutine_threadsafe(begin(), self._loop).result(10)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: tuple[str, int]) -> None:
        try:
            there, here = await asyncio.open_connection(*server)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pass(reader, here), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(READ_BYTES):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


class Machine:
    """Number `number` of this process. `servers`: host and port of each server, by name; `ports` where separate."""

    def __init__(self, number: int, folder: Path, servers: dict[str, tuple[str, int]], ports: Ports | None) -> None:
        self.number, self.name, self.folder = number, f"machine-{os.getpid()}-{number}", folder / f"machine-{number}"
        self.folder.mkdir(parents=True)
        self.servers, self.worker = servers, None
        self._holder: subprocess.Popen[bytes] | None = None
        if ports is not None:
            self._separate(servers, ports)

    worker: subprocess.Popen[bytes] | None

    def _separate(self, servers: dict[str, tuple[str, int]], ports: Ports) -> None:
        hold = f"hostname {self.name}; exec sleep 86400"
        self._holder = subprocess.Popen(["unshare", "-u", "-n", "sh", "-c", hold])
        ours = Path("/proc/self/ns/net").readlink()
        until = time.monotonic() + 10
        while Path(f"/proc/{self._holder.pid}/ns/net").readlink() == ours and time.monotonic() < until:
            time.sleep(0.01)
        here, there = f"g{os.getpid()}-{self.number}", f"h{os.getpid()}-{self.number}"
        net = f"10.{100 + os.getpid() % 100}.{self.number}"
        for words in (
            f"ip link add {here} type veth peer name {there}",
            f"ip link set {there} netns {self._holder.pid}",
            f"ip addr add {net}.1/30 dev {here}",
            f"ip link set {here} up",
            *(f"{self._inside()} ip {rest}" for rest in ("link set lo up", f"addr add {net}.2/30 dev {there}")),
            f"{self._inside()} ip link set {there} up",
        ):
            subprocess.run(words.split(), check=True, capture_output=True)
        self.servers = {name: (f"{net}.1", ports.open(f"{net}.1", server)) for name, server in servers.items()}

    def _inside(self) -> str:
        return f"nsenter -t {self._holder.pid} -u -n" if self._holder else ""

    def start(self, command: list[str], environment: dict[str, str]) -> None:
        """Start the worker."""
        with (self.folder / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                [*self._inside().split(), *command], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def crash(self) -> None:
        """Kill the worker, and lose the machine with all that is on it."""
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait()
        if self._holder is not None:
            self._holder.kill()  # the cable goes with the last process of the network
            self._holder.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
