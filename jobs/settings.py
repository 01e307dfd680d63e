"""A worker's settings, from its environment: where things are kept and how many trainings run at once.

The web server's settings extend this class; nothing here knows the web. Every variable has the prefix ONLYBN_.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.machine.processor import available_cores
from jobs.label import read_labels
from jobs.quotas import MEGABYTE, Cap, Limits, Portion
from jobs.webhooks.address import Reach

KEY_BYTES = 32
HIDDEN = ("SECRET", "PASSWORD", "TOKEN", "DATABASE_URL", "QUEUE_URL", "ARTEFACTS")
"""How the names of variables end whose values are not printed."""
Profile = Literal["local", "demo", "lab"]

PROFILES: dict[Profile, dict[str, object]] = {
    "local": {},
    "lab": {
        "max_queued": 500,
        "largest_study": "paper",
        "owner_running": 0,
        "owner_waiting": 100,
        "owner_hourly": 300,
        "owner_evaluations": 30,
        "owner_uploads_mb": 256,
        "owner_kept_mb": 50_000,
        "owner_webhooks": 100,
        "address_owners": 0,
        "run_minutes": 0,
        "run_memory_mb": 0,
        "run_disk_mb": 10_000,
        "keep_days": 0,
        "keep_failed_days": 90,
        "keep_capsule_mb": 100,
        "budget_mb": 200_000,
    },
    "demo": {
        "max_queued": 300,
        "largest_study": "minutes",
        "largest_start_mb": 8,
        "owner_running": 1,
        "owner_waiting": 3,
        "owner_hourly": 20,
        "owner_evaluations": 4,
        "owner_uploads_mb": 16,
        "owner_kept_mb": 200,
        "owner_webhooks": 5,
        "webhooks": "off",
        "address_owners": 3,
        "run_minutes": 60,
        "run_memory_mb": 3000,
        "run_disk_mb": 200,
        "keep_days": 14,
        "keep_failed_days": 2,
        "keep_capsule_mb": 4,
        "budget_mb": 5000,
    },
}
"""The defaults of a profile that differ from those of the fields."""


def usual_profile() -> Profile:
    """The profile where none is set: demo in a Hugging Face Space, which strangers find; local elsewhere."""
    return "demo" if os.environ.get("SPACE_HOST", "").strip() else "local"


class WorkerSettings(BaseSettings):
    """One field an environment variable: `ONLYBN_` and the field's name. An empty variable counts as unset."""

    model_config = SettingsConfigDict(env_prefix="ONLYBN_", env_ignore_empty=True, extra="ignore", frozen=True)

    data: Path = Field(
        Path("data"), description="Folder for everything that is kept: runs, database, queue, data sets."
    )
    database_url: str | None = Field(
        None, description="postgresql://... or sqlite:///...; unset: SQLite in the data folder."
    )
    queue_url: str | None = Field(
        None, description="redis://... or postgresql://... to use several machines; unset: a file in the data folder."
    )
    queue_name: str = Field(
        "onlybn",
        pattern=r"^[A-Za-z0-9_]{1,40}$",
        description="Must differ between installations that share a queue server.",
    )
    artefacts: str | None = Field(
        None,
        pattern=r"^(folder|database|/.*|[a-z][a-z0-9+.-]*://.+)$",
        description="Where checkpoints and trained networks are kept for other machines: folder (they share the data "
        "folder), database, or the path or URL of a folder or bucket (/srv/artefacts, s3://). Unset: database with "
        "PostgreSQL, else folder.",
    )
    secret: SecretStr | None = Field(
        None, description="Key that signs queue messages, the same on all machines; unset: made in the data folder."
    )
    slots: int | None = Field(
        None,
        ge=1,
        le=64,
        description="How many trainings this worker runs at once; unset: one per GPU; on CPUs one with all cores, "
        "or up to one per core while more are waiting.",
    )
    processes: int = Field(
        1, ge=1, le=64, description="Processes that train one run together, each with its own GPU if there are GPUs."
    )
    threads: int | None = Field(
        None, ge=1, le=1024, description="CPU threads of each process of a training; unset: cores / slots / processes."
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda|cuda:\d+)$",
        description="Where trainings run: cpu, cuda, one GPU of several (cuda:1), or auto: GPUs if there are any.",
    )
    labels: str = Field(
        "",
        description="Labels of this worker, separated by commas, such as gpu,a100: it also takes runs that ask for one "
        "of them.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Format of log lines: text for people, or json, one object per line."
    )
    lease_s: float = Field(30.0, ge=1, le=3600, description="Seconds of silence after which a run is taken over.")
    patience_s: float = Field(
        120.0,
        ge=1,
        le=86400,
        description="A training that takes no step for this many seconds, and for 20 times the usual time, is "
        "restarted from its checkpoint.",
    )
    max_hours: float | None = Field(
        None, gt=0, description="Hours of training after which a run is stopped permanently; unset: no limit."
    )
    file_gb: float = Field(32.0, gt=0, description="The largest file that a training may write, in GiB (Linux).")
    memory_gb: float | None = Field(
        None,
        gt=0,
        description="Address space of one process of a training in GiB (Linux); unset: no limit. GPUs need hundreds.",
    )
    profile: Profile = Field(
        default_factory=usual_profile,
        description="Defaults of all limits: local, none; demo, strangers who share two cores; "
        "lab, a group with its own machine. Unset: demo in a Hugging Face Space, local elsewhere.",
    )
    max_queued: int = Field(200, ge=1, le=100_000, description="How many runs and studies may wait; more are refused.")
    owner_running: int = Field(
        0, ge=0, le=10_000, description="How many runs of one visitor may train at once; 0: no limit."
    )
    owner_waiting: int = Field(
        0, ge=0, le=100_000, description="How many runs and studies of one visitor may wait; 0: no limit."
    )
    owner_hourly: int = Field(
        0, ge=0, le=1_000_000, description="How often one visitor may launch or resume within an hour; 0: no limit."
    )
    owner_evaluations: int = Field(
        0, ge=0, le=1000, description="How many evaluations of one visitor may wait; 0: no limit."
    )
    owner_uploads_mb: int = Field(
        0, ge=0, description="Megabytes of files to start from that one visitor may have here; 0: no limit."
    )
    owner_kept_mb: int = Field(
        0, ge=0, description="Megabytes that the runs and files of one visitor may keep; 0: no limit."
    )
    owner_webhooks: int = Field(
        0, ge=0, le=100_000, description="How many webhooks of one visitor may wait to be sent; 0: no limit."
    )
    address_owners: int = Field(
        0, ge=0, le=10_000, description="How many visitors one network address counts as; 0: addresses have no limit."
    )
    run_minutes: float = Field(0, ge=0, description="Minutes of one processor core that a run may cost; 0: no limit.")
    run_memory_mb: int = Field(0, ge=0, description="Megabytes of memory that a run may take; 0: no limit.")
    run_disk_mb: int = Field(0, ge=0, description="Megabytes of disk that a run may take; 0: no limit.")
    keep_days: float = Field(0, ge=0, description="Days after which a finished run is deleted unless pinned; 0: never.")
    keep_failed_days: float = Field(
        0, ge=0, description="Days after which a failed or cancelled run is deleted; 0: never."
    )
    keep_capsule_mb: int = Field(
        0,
        ge=0,
        description="Trained networks larger than this many megabytes are kept only on request; 0: always kept.",
    )
    budget_mb: int = Field(
        0, ge=0, description="Megabytes that the data folder may take; the oldest runs make room. 0: no limit."
    )
    webhooks: Reach = Field(
        "public",
        description="Addresses that may be notified when a run or study has ended: public, https to the Internet; "
        "private, also loopback and private networks; off, none.",
    )
    admin_token: SecretStr | None = Field(
        None, min_length=16, description="Token that identifies the operator; unset: only python -m jobs admin."
    )

    @field_validator("data")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """The trainer runs in another working directory, so a relative folder is fixed here."""
        return folder.expanduser().absolute()

    @field_validator("labels")
    @classmethod
    def _labels(cls, text: str) -> str:
        return ",".join(read_labels(text))

    @model_validator(mode="before")
    @classmethod
    def _by_profile(cls, given: Any) -> Any:
        """What is not set has the profile's default."""
        defaults = PROFILES.get(given.get("profile", usual_profile()), {}) if isinstance(given, dict) else {}
        known = {name: value for name, value in defaults.items() if name in cls.model_fields}
        return {**known, **given} if isinstance(given, dict) else given

    @property
    def limits(self) -> Limits:
        """The limits of what may be asked for."""
        share = Portion(
            self.owner_running,
            self.owner_waiting,
            self.owner_hourly,
            self.owner_evaluations,
            self.owner_uploads_mb * MEGABYTE,
            self.owner_kept_mb * MEGABYTE,
            self.owner_webhooks,
        )
        cap = Cap(60 * self.run_minutes, self.run_memory_mb * MEGABYTE, self.run_disk_mb * MEGABYTE)
        return Limits(self.max_queued, share, self.address_owners, cap)

    @property
    def store_url(self) -> str:
        """The database in use."""
        return self.database_url or f"sqlite:///{self.data / 'onlybn.db'}"

    @property
    def artefacts_place(self) -> str:
        """Where files are kept that other machines need."""
        return self.artefacts or ("folder" if self.store_url.startswith("sqlite") else "database")

    @property
    def worker_labels(self) -> tuple[str, ...]:
        """The labels of this worker, in order."""
        return read_labels(self.labels)

    @property
    def runs_folder(self) -> Path:
        return self.data / "runs"

    @property
    def trainer_threads(self) -> int:
        """CPU threads of each process of a training; of one that runs alone where `slots` is unset."""
        return self.threads or max(1, available_cores() // ((self.slots or 1) * self.processes))

    def signing_key(self) -> bytes:
        """The key of the queue's messages. If no secret is set, it is made once, in a file for its owner only."""
        if self.secret is not None:
            return self.secret.get_secret_value().encode()
        path = self.data / "queue.key"
        self.data.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create_once(path, secrets.token_hex(KEY_BYTES))
        return path.read_bytes()


def explain(error: ValidationError) -> str:
    """What is wrong with the environment, one line a variable."""
    lines = []
    for problem in error.errors(include_url=False):
        variable = f"ONLYBN_{'_'.join(str(part) for part in problem['loc']).upper().removeprefix('ONLYBN_')}"
        message = problem["msg"].removeprefix("Value error, ")
        got = "" if variable.endswith(HIDDEN) else f", got {problem['input']!r}"
        lines.append(f"{variable}: {message[:1].lower()}{message[1:]}{got}")
    return "\n".join(lines)


def _create_once(path: Path, text: str) -> None:
    """Write `path` with mode 0600, whole or not at all; when two processes try, the first one's text stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
