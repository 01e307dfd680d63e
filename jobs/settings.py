"""A worker's settings, from its environment: where things are kept and how many trainings run at once.

The web server's settings extend this class; nothing here knows the web. Every variable has the prefix ONLYBN_.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.machine.processor import available_cores

KEY_BYTES = 32
HIDDEN = ("SECRET", "PASSWORD", "TOKEN", "DATABASE_URL", "QUEUE_URL")
"""How the names of variables end whose values are not printed."""


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
        None, description="redis://... or postgresql://... for several machines; unset: a file in the data folder."
    )
    queue_name: str = Field(
        "onlybn", pattern=r"^[A-Za-z0-9_]{1,40}$", description="Installations that share a queue server differ in it."
    )
    secret: SecretStr | None = Field(
        None, description="Key that signs queue messages, the same on all machines; unset: made in the data folder."
    )
    slots: int | None = Field(
        None,
        ge=1,
        le=64,
        description="How many trainings this worker runs at once; unset: one on each GPU, and on CPUs one with all "
        "cores while it is alone, up to one a core while more wait.",
    )
    processes: int = Field(
        1, ge=1, le=64, description="Processes that train one run together, each with a GPU of its own where there are."
    )
    threads: int | None = Field(
        None, ge=1, le=1024, description="CPU threads of each process of a training; unset: cores / slots / processes."
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda|cuda:\d+)$",
        description="Where trainings run: cpu, cuda, one GPU of several (cuda:1), or auto: GPUs where there are.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How lines of the log are written: text for people, or json, an object a line."
    )
    lease_s: float = Field(30.0, ge=1, le=3600, description="Seconds of silence after which a run is taken over.")

    @field_validator("data")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """The trainer runs in another working directory, so a relative folder is fixed here."""
        return folder.expanduser().absolute()

    @property
    def store_url(self) -> str:
        """The database in use."""
        return self.database_url or f"sqlite:///{self.data / 'onlybn.db'}"

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
