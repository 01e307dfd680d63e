"""The environment variables of the web server: a worker's and its own. Read once, in `__main__`."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from core.catalog.folder import SIZES, USUAL_SIZE
from core.studies.spec import Scale
from jobs.settings import WorkerSettings

COPY = "folder with the original files, or folder or archive of class folders of images; unset: downloaded when needed."


def space_url() -> str | None:
    """The address of the Hugging Face Space in which this program runs; None elsewhere."""
    host = os.environ.get("SPACE_HOST", "").strip()
    return f"https://{host}" if host else None


def space_proxies() -> str:
    """Where the requests to a Hugging Face Space come from: its private network. Empty elsewhere."""
    return "10.0.0.0/8" if space_url() else ""


class Settings(WorkerSettings):
    """Each field is an environment variable: `ONLYBN_` and the field's name. An empty variable counts as unset."""

    model_config = SettingsConfigDict(validate_by_name=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0: all addresses of this machine.")
    port: int = Field(7860, ge=1, le=65535, description="Port to listen on.")
    embedded_worker: bool = Field(True, description="Whether the server starts its own worker.")
    examples: bool = Field(
        True, description="Whether the runs that come with the project are shown; false: deleted for good."
    )
    largest_study: Scale = Field(
        "paper", description="The largest scale of a study that visitors may launch: minutes, evening or paper."
    )
    largest_start_mb: int = Field(
        128,
        ge=1,
        le=512,
        description="Megabytes of the largest file to start from that a visitor may upload. A ResNet-18 of torchvision "
        "has 45, a ResNet-50 98.",
    )
    trusted_proxies: str = Field(
        default_factory=space_proxies,
        pattern=r"^[0-9A-Fa-f.:/, ]*$",
        description="Addresses or networks of proxies whose X-Forwarded-For names the visitor, separated by commas; "
        "unset: the private network, in a Hugging Face Space.",
    )
    public_url: str | None = Field(
        default_factory=space_url,
        description="Address under which a proxy shows the site, such as https://bn.example.org; "
        "unset: SPACE_HOST, in a Hugging Face Space.",
    )
    hosts: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._, -]*$",
        description="Further host names of the site, separated by commas; it knows localhost, its addresses, "
        "ONLYBN_HOST and ONLYBN_PUBLIC_URL.",
    )
    frame_ancestors: str = Field(
        "'self' https://huggingface.co https://*.hf.space",
        pattern=r"^[\w'.:/* -]+$",
        description="Sites that may show this one in a frame, as in CSP frame-ancestors.",
    )
    auth_password: SecretStr | None = Field(
        None, min_length=12, max_length=200, description="The password of ONLYBN_AUTH=password, 12 characters or more."
    )
    auth_header: str = Field(
        "X-Forwarded-User",
        pattern=r"^[A-Za-z0-9-]{1,60}$",
        description="The header of ONLYBN_AUTH=proxy in which the proxy names the signed-in user.",
    )
    auth_users: str = Field(
        "",
        max_length=10_000,
        description="Who may enter with ONLYBN_AUTH=proxy or huggingface, separated by commas: users and "
        "organisations of Hugging Face; unset: everybody who can sign in there.",
    )
    auth_hours: int = Field(168, ge=1, le=8760, description="Hours after which a visitor must sign in again.")
    oauth_client_id: str | None = Field(
        None,
        validation_alias=AliasChoices("ONLYBN_OAUTH_CLIENT_ID", "OAUTH_CLIENT_ID"),
        description="The OAuth app of ONLYBN_AUTH=huggingface; unset: OAUTH_CLIENT_ID, as a Space has it.",
    )
    oauth_client_secret: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("ONLYBN_OAUTH_CLIENT_SECRET", "OAUTH_CLIENT_SECRET"),
        description="The secret of that app; unset: OAUTH_CLIENT_SECRET.",
    )
    oauth_provider: str = Field(
        "https://huggingface.co", pattern=r"^https://[^\s?#]+$", description="The OpenID provider that knows the app."
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="If set, /metrics is available to Prometheus, which sends this as a bearer token.",
    )
    snapshot: Path | None = Field(
        None,
        description="Folder, such as a mounted bucket, into which the SQLite database is copied, and from which an "
        "empty data folder is restored at the start.",
    )
    snapshot_every_s: float = Field(60.0, ge=5, le=86_400, description="Seconds between two copies.")
    # After what it needs, since a field is checked with those before it.
    auth: Literal["none", "password", "proxy", "huggingface"] = Field(
        "none", description="Who may enter: everybody (none), or those who sign in by password, proxy or huggingface."
    )
    # core reads these itself; they are here so that they are checked when the server starts.
    fashion_mnist: Path | None = Field(
        None, description="Folder with the four Fashion-MNIST files; unset: /usr/share/datasets/fashion-mnist."
    )
    cifar_10: Path | None = Field(None, description=f"CIFAR-10: {COPY}")
    cifar_100: Path | None = Field(None, description=f"CIFAR-100: {COPY}")
    svhn: Path | None = Field(None, description=f"SVHN: {COPY}")
    mnist: Path | None = Field(None, description=f"MNIST: {COPY}")
    imagenet: Path | None = Field(None, description="Folder of ImageNet: train/ and val/, a folder for each class.")
    folder: Path | None = Field(
        None, description="Folder of your own images: train/ and val/, a folder for each class."
    )
    folder_size: int = Field(
        USUAL_SIZE, ge=SIZES[0], le=SIZES[1], description="Side in pixels of the crop from your own images."
    )
    loader_workers: int | None = Field(
        None, ge=0, le=64, description="Processes that open images for a training; unset: as many as its threads allow."
    )

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must be http:// or https:// and a host name without a path")
        return url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        for part in filter(None, (part.strip() for part in text.split(","))):
            try:
                ip_network(part, strict=False)
            except ValueError as error:
                raise ValueError(f"must be addresses or networks such as 10.0.0.0/8, not {part}") from error
        return text

    @field_validator("auth")
    @classmethod
    def _has_what_it_needs(cls, way: str, info: ValidationInfo) -> str:
        needed = {
            "password": ("auth_password",),
            "proxy": ("trusted_proxies",),
            "huggingface": ("oauth_client_id", "oauth_client_secret"),
        }
        if missing := [name for name in needed.get(way, ()) if not info.data.get(name)]:
            raise ValueError(f"{way} needs {' and '.join(f'ONLYBN_{name.upper()}' for name in missing)}")
        return way

    @property
    def known_hosts(self) -> tuple[str, ...]:
        """The names of ONLYBN_HOSTS."""
        return tuple(self.hosts.replace(",", " ").split())

    @property
    def is_public(self) -> bool:
        """Whether others than this machine's users can reach the site."""
        return self.public_url is not None or self.host not in ("127.0.0.1", "::1", "localhost")

    @property
    def url(self) -> str:
        """The address at which a person opens the site."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"
