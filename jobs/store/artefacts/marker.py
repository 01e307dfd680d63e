"""The folder of an installation at an address, and the file that marks it.

A disk that is not mounted looks like an empty folder. If the file was there once and is missing now, the place is
another one than before: nothing is written to it, and what is missing there does not count as lost.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.exc import IntegrityError

from jobs.store.artefacts.address import Address, PlaceAway
from jobs.store.database import Database
from jobs.store.shares import flags

INSTALLATION = "installation"
"""The flag that tells the folders of several installations at one address apart, and the name of the file."""


@dataclass(eq=False)
class Marker:
    """The mark of the installation in `database` at `address`. Methods raise DBAPIError, and PlaceAway."""

    database: Database
    address: Address

    @cached_property
    def folder(self) -> str:
        """The folder of this installation at the address."""
        try:
            with self.database.writing() as connection:
                name = flags.get(connection, INSTALLATION) or secrets.token_hex(8)
                flags.put(connection, INSTALLATION, name)
        except IntegrityError:  # another process was faster
            with self.database.reading() as connection:
                name = flags.get(connection, INSTALLATION) or ""
        return f"onlybn-{name}"

    def set(self) -> None:
        """Mark the folder, which shows that the place can be written and read."""
        self.insist()
        text = secrets.token_hex(8).encode()
        self.address.write(self.file, [text])
        try:
            b"".join(self.address.read(self.file))
        except FileNotFoundError as error:
            raise PlaceAway("a file that was written there is missing") from error
        if not self._was_set():
            try:
                with self.database.writing() as connection:
                    flags.put(connection, self._flag, "marked")
            except IntegrityError:  # another process was faster
                pass

    def insist(self) -> None:
        """Raises PlaceAway if the folder was marked and is not."""
        if self._was_set() and not self.address.has(self.file):
            raise PlaceAway(
                "the folder of this installation is missing there: the disk may not be mounted, or the address may "
                f"mean another place on this machine. If its files are really lost, make an empty file {self.file}"
            )

    @property
    def file(self) -> str:
        return f"{self.folder}/{INSTALLATION}"

    @property
    def _flag(self) -> str:
        return f"place {hashlib.sha256(self.address.url.encode()).hexdigest()[:16]}"

    def _was_set(self) -> bool:
        with self.database.reading() as connection:
            return flags.get(connection, self._flag) is not None
