"""Files at one fsspec address: a folder, a bucket, whatever fsspec has a driver for. Knows no database."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

READ_BYTES = 1 << 20


class PlaceAway(OSError):
    """The place where artefacts are kept cannot be used now; the message says why. What is there may be fine."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EIO, f"the artefact store cannot be used ({reason})")


class Address:
    """The files below `url`. Each method raises PlaceAway if the place does not answer, and FileNotFoundError."""

    def __init__(self, url: str) -> None:
        """Raises ValueError if the URL names no kind of place that can be used here."""
        self.url = url
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

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        with _in_words():
            self._files.invalidate_cache()
            with suppress(FileNotFoundError):
                self._files.info(f"{self._root}/{name}")  # `isfile` says False where the place does not answer
                return True
            return False

    def delete(self, name: str) -> None:
        """Delete a file or a folder with all that is in it, if it is there."""
        with _in_words(), suppress(FileNotFoundError):
            self._files.rm(f"{self._root}/{name}", recursive=True)


@contextmanager
def _in_words() -> Iterator[None]:
    """Drivers have errors of their own, which may carry secrets, as may paths."""
    try:
        yield
    except (FileNotFoundError, PlaceAway):
        raise
    except OSError as error:
        raise PlaceAway(error.strerror or type(error).__name__) from error
    except Exception as error:
        raise PlaceAway(type(error).__name__) from error
