"""The folder of a frozen site: written beside its place and put there when it is whole."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

MARK = "frozen.json"
"""The file by which a frozen site is known."""
QUALITY = 6
"""Of gzip. Browsers unpack it by themselves, whatever the file server does."""
OUTSIDE = re.compile(r"[^A-Za-z0-9._-]")


class NotOurs(ValueError):
    """A folder that holds something else than a frozen site; the message says what to do."""


class Folder:
    """A frozen site that is being written to `root`. Remembers the size of each file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sizes: dict[str, int] = {}

    def write(self, name: str, content: bytes | str) -> None:
        """Write the file `name`, "static/site.css"."""
        content = content.encode() if isinstance(content, str) else content
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.sizes[name] = len(content)

    def keep(self, address: str, body: bytes) -> None:
        """Write the response to the address of the API, packed."""
        self.write(file_of(address), packed(body))

    @property
    def size(self) -> int:
        return sum(self.sizes.values())

    @property
    def largest(self) -> tuple[str, int]:
        return max(self.sizes.items(), key=lambda item: item[1])


def packed(body: bytes) -> bytes:
    return gzip.compress(body, QUALITY, mtime=0)


def file_of(address: str) -> str:
    """The file with the response to an address of the API; static/base/address.js finds it in the same way.

    >>> file_of("/api/runs/abcdef/findings?format=csv&table=layers")
    'data/runs/abcdef/findings.layers.csv.gz'
    """
    parts = urlsplit(address)
    path = parts.path.removeprefix("/api/").rstrip("/")
    values = [OUTSIDE.sub("_", value) for _, value in reversed(parse_qsl(parts.query))]
    return f"data/{'.'.join([path, *values])}.gz"


@contextmanager
def replaced(out: Path) -> Iterator[Folder]:
    """A new folder that takes the place of `out` at the end; on an error `out` stays as it is. Raises NotOurs."""
    refuse_others(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        folder = Folder(beside / "new")
        folder.root.mkdir()
        yield folder
        refuse_others(out)
        if out.exists():
            out.rename(beside / "old")
        folder.root.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_others(out: Path) -> None:
    """Raises NotOurs if `out` is neither absent, nor empty, nor a frozen site."""
    if not out.exists():
        return
    if not out.is_dir():
        raise NotOurs(f"{out} is a file; --out must name a folder")
    if any(out.iterdir()) and not _is_frozen(out):
        raise NotOurs(f"{out} has files that are no frozen site; name an empty or a new folder")


def _is_frozen(folder: Path) -> bool:
    try:
        said = json.loads((folder / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and "onlybn" in said
