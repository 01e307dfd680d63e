"""The environment variables of the web server: a worker's and its own. Read once, in `__main__`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from core.catalog.folder import SIZES, USUAL_SIZE
from core.studies.spec import Scale
from jobs.settings import WorkerSettings

COPY = "folder with the original files, or folder or archive of class folders of images; unset: downloaded when needed."


class Settings(WorkerSettings):
    """Each field is an environment variable: `ONLYBN_` and the field's name. An empty variable counts as unset."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0: all of this machine's.")
    port: int = Field(7860, ge=1, le=65535, description="Port to listen on.")
    embedded_worker: bool = Field(True, description="Whether the server starts a worker of its own.")
    examples: bool = Field(
        True, description="Whether the runs that come with the project are shown; false: taken out for good."
    )
    largest_study: Scale = Field(
        "paper", description="The largest scale of a study that visitors may launch: minutes, evening or paper."
    )
    trusted_proxies: str = Field(
        "",
        pattern=r"^[0-9A-Fa-f.:/, ]*$",
        description="Addresses or networks of proxies whose X-Forwarded-For names the visitor, with commas between.",
    )
    public_url: str | None = Field(
        None, description="Address under which a proxy shows the site, such as https://bn.example.org."
    )
    hosts: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._, -]*$",
        description="Further names under which the site may be asked, with commas; it knows localhost, its addresses, "
        "ONLYBN_HOST and ONLYBN_PUBLIC_URL.",
    )
    frame_ancestors: str = Field(
        "'self' https://huggingface.co https://*.hf.space",
        pattern=r"^[\w'.:/* -]+$",
        description="Sites that may show this one in a frame, as in CSP frame-ancestors.",
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
    folder: Path | None = Field(None, description="Folder of own images: train/ and val/, a folder for each class.")
    folder_size: int = Field(
        USUAL_SIZE, ge=SIZES[0], le=SIZES[1], description="Side in pixels of what is cut out of own images."
    )
    loader_workers: int | None = Field(
        None, ge=0, le=64, description="Processes of a training that open images; unset: as its threads allow."
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
