"""Files at one fsspec address: a folder, a bucket, whatever fsspec has a driver for. Knows no database."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

READ_BYTES = 1 << 20


class Address:
    """The files below `url`. Each method raises OSError if the place does not answer, and FileNotFoundError."""

    def __init__(self, url: str) -> None:
        """Raises ValueError if the URL names no kind of place that can be used here."""
        import fsspec  # noqa: PLC0415 - takes a moment, and most installations need no address

        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ValueError(f"ONLYBN_ARTEFACTS: {error}") from error
        self._root: str = root.rstrip("/")

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Make the file `name` of `pieces`. If that fails, a part of it may be there."""
        with _in_words():
            path = f"{self._root}/{name}"
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._files.open(path, "wb") as file:
                for piece in pieces:
                    file.write(piece)

    def read(self, name: str) -> Iterator[bytes]:
        """The content of a file, piece by piece."""
        with _in_words(), self._files.open(f"{self._root}/{name}", "rb") as file:
            while piece := file.read(READ_BYTES):
                yield piece

    def names(self, folder: str) -> list[str]:
        """The names of all files below `folder`, whose name they begin with."""
        with _in_words():
            self._files.invalidate_cache()
            with suppress(FileNotFoundError):
                return [path[len(self._root) + 1 :] for path in map(str, self._files.find(f"{self._root}/{folder}"))]
            return []

    def delete(self, name: str) -> None:
        """Delete a file or a folder with all that is in it, if it is there."""
        with _in_words(), suppress(FileNotFoundError):
            self._files.rm(f"{self._root}/{name}", recursive=True)


@contextmanager
def _in_words() -> Iterator[None]:
    """Drivers have errors of their own, which may carry secrets."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        reason: Any = type(error).__name__
        raise OSError(errno.EIO, f"the artefact store does not respond ({reason})") from error
