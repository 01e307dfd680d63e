"""A cluster of one node that runs Debian's Slurm on this machine, in a folder of its own. It listens on loopback only.

Everything ends after LIMIT_S by itself, and earlier with `stop`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel", "timeout")
PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
LIMIT_S = 1500
CONFIGURATION = """ClusterName=onlybn
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=30
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=low Nodes={host} Default=YES PriorityTier=1 GraceTime=60 MaxTime=INFINITE State=UP
PartitionName=hasty Nodes={host} PriorityTier=1 GraceTime=0 MaxTime=INFINITE State=UP
PartitionName=high Nodes={host} PriorityTier=10 MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no cluster can be made here; None if one can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATHS) is None]
    return f"no {', '.join(absent)} here; on Debian: apt install slurm-wlm munge" if absent else None


def free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Cluster:
    """Runs from its making until `stop`. Jobs of the partition `high` preempt those of `low` and `hasty`,
    which are requeued; those of `low` are asked to end a minute before they are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host = folder, socket.gethostname().partition(".")[0]
        folder.chmod(0o755)
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.configuration = folder / "slurm.conf"
        self.user = user = pwd.getpwuid(os.getuid()).pw_name
        values = {"host": self.host, "user": user, "folder": folder, "ports": free_ports(2), "cores": os.cpu_count()}
        self.configuration.write_text(CONFIGURATION.format(**values))
        self.environment = os.environ | {"SLURM_CONF": str(self.configuration), "PATH": PATHS}
        self.daemons: list[subprocess.Popen[bytes]] = []
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        folder = self.folder
        own = [f"--{part}-file={folder}/munge/{part}" for part in ("key", "pid", "log", "seed")]
        self._daemon("munged", "--foreground", "--force", f"--socket={folder}/munge/socket", *own)
        self._until(lambda: (folder / "munge" / "socket").exists())
        self._daemon("slurmctld", "-D", "-f", str(self.configuration))
        self.start_node()
        self._until(lambda: self.states() == {"idle"})

    def states(self) -> set[str]:
        """Those of the node, as each partition sees it."""
        return set(self.ask("sinfo", "--noheader", "--format=%t").split())

    def start_node(self) -> None:
        """The node's own daemon."""
        self.node = self._daemon("slurmd", "-D", "-f", str(self.configuration))

    def ask(self, *command: str, cwd: Path | None = None, **environment: str) -> str:
        """What a command of Slurm prints. "" if it fails."""
        done = subprocess.run(
            command, cwd=cwd, env=self.environment | environment, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def submit(self, *arguments: str, cwd: Path | None = None, **environment: str) -> str:
        """The number of a new job."""
        number = self.ask("sbatch", "--parsable", *arguments, cwd=cwd, **environment)
        assert number.isdecimal(), f"sbatch refused: {number!r}"
        return number

    def state(self, job: str) -> str:
        """Such as RUNNING, PENDING, COMPLETED; "" once the job is forgotten."""
        words = self.ask("scontrol", "show", "job", job).split()
        return next((word.partition("=")[2] for word in words if word.startswith("JobState=")), "")

    def processes(self, job: str | None = None) -> list[int]:
        """Those that belong to a job, or to any job, of this cluster."""
        found = []
        wanted = {f"SLURM_CONF={self.configuration}"} | ({f"SLURM_JOB_ID={job}"} if job else set())
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                here = (entry / "environ").read_text(errors="replace").split("\0") if entry.name.isdecimal() else []
                if wanted <= set(here):
                    found.append(int(entry.name))
        ours = {os.getpid(), *(daemon.pid for daemon in self.daemons)}
        children = {int(pid) for daemon in self.daemons for pid in _children(daemon.pid)}
        return [pid for pid in found if pid not in ours | children]

    def lose_node(self, job: str) -> None:
        """Kill everything of the node at once, and tell the controller, which would notice after minutes."""
        for pid in (*_children(self.node.pid), *self._steps(), *self.processes(job)):
            _kill(int(pid))
        self.node.kill()
        self.node.wait()
        self.daemons.remove(self.node)
        self.ask("scontrol", "update", f"nodename={self.host}", "state=down", "reason=lost")

    def mend_node(self) -> None:
        self.start_node()
        self.ask("scontrol", "update", f"nodename={self.host}", "state=resume")

    def stop(self) -> None:
        """End everything."""
        self.ask("scancel", "--full", "--signal=KILL", f"--user={self.user}")
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for pid in (*self._steps(), *self.processes()):
            _kill(pid)

    def _steps(self) -> list[int]:
        """Slurm's own processes that look after a step of a job on this node."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                command = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
                environment = (entry / "environ").read_bytes() if b"slurmstepd" in command else b""
                if str(self.configuration).encode() in environment:
                    found.append(int(entry.name))
        return found

    def _daemon(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{command[0]}.out").open("ab") as log:
            daemon = subprocess.Popen(
                ["timeout", "--foreground", "--kill-after=5", str(LIMIT_S), *command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.daemons.append(daemon)
        return daemon

    def _until(self, condition: object, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while not condition():  # type: ignore[operator]
            if time.monotonic() > until:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.out"))
                raise RuntimeError(f"the cluster did not start:\n{logs}")
            time.sleep(0.2)


def _children(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return []


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
