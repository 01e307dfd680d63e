"""A registry is a table of named entries; its error for an unknown name says which names it has.

It knows nothing about its entries and imports no torch, so that the form, the API and the CLI can read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """What an entry must have: a name by which people ask for it."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class UnknownName(ValueError, KeyError):
    """No registry entry has this name; the message says which names there are."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would quote it


class Registry(Mapping[str, T], Generic[T]):
    """An ordered, read-only table of entries by name.

    `kind` is the word used in messages ("policy"). `also` describes names beyond the listed ones
    that a parser accepts ("random-k for k from 1 to 128").
    """

    def __init__(self, kind: str, entries: Iterable[T], *, also: str = "") -> None:
        self.kind = kind
        self.also = also
        self._entries: Mapping[str, T] = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            raise self.unknown(name) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def unknown(self, name: str) -> UnknownName:
        """The error for `name`, which says what is wrong and what would be right."""
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        close = get_close_matches(name, self._entries, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        allowed = ", ".join(self._entries) + (f"; {self.also}" if self.also else "")
        return UnknownName(f"unknown {self.kind} {shown!r}.{hint} Allowed: {allowed}.")
