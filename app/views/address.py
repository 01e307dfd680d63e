"""The runs that a page's address names: by id, by their study or by a list's filters.

Checks every value. An invalid one is left out and named in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, cast

from pydantic import StringConstraints
from typing_extensions import TypedDict

from core.catalog import architectures as catalog
from core.catalog.datasets import DATASETS
from core.catalog.policies import policy
from jobs.store.records import ID_PATTERN, STATES, State
from jobs.store.tallies import Filters

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


class Source(TypedDict):
    """The runs that an address names: `runs`, or all of a study or of a list's filters; never those in `without`."""

    runs: list[str]
    without: list[str]
    study: str | None
    text: str
    state: list[str]
    policy: list[str]
    architecture: list[str]
    dataset: list[str]
    tag: str
    room: str | None


class Reading:
    """Reads the parameters of an address one by one and collects their problems."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self.problems: list[str] = []

    def one_of(self, key: str, known: Sequence[str], usual: str) -> str:
        given = self._query.get(key, usual)
        if given in known:
            return given
        self.problems.append(f"{key} must be one of {', '.join(known)}; got {quoted(given)}.")
        return usual

    def some_of(self, key: str, known: Sequence[str], usual: list[str], exactly: int | None = None) -> list[str]:
        given = self.listed(key)
        if not given:
            return usual
        unknown = [word for word in given if word not in known]
        if unknown:
            words = ", ".join(map(quoted, unknown[:3]))
            self.problems.append(f"{key} cannot be {words}. Allowed: {', '.join(known)}.")
        found = [word for word in given if word in known]
        if exactly is None:
            return found or usual
        if len(given) != exactly:
            self.problems.append(f"{key} needs {exactly} names, got {len(given)}.")
        return found if len(found) == exactly else usual

    def number(self, key: str, low: float, high: float, usual: float) -> float:
        given = self._query.get(key)
        if given is None:
            return usual
        try:
            value = float(given)
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        self.problems.append(f"{key} must be a number in {low:g}..{high:g}, got {quoted(given)}.")
        return usual

    def names(self, key: str, check: Callable[[str], object]) -> list[str]:
        """The listed names for which `check` raises no ValueError."""
        found = []
        for name in self.listed(key):
            try:
                check(name)
                found.append(name)
            except ValueError as error:
                self.problems.append(f"{key}: {error}.")
        return found

    def ids(self, key: str) -> list[str]:
        given = self.listed(key)
        if wrong := [word for word in given if not re.fullmatch(ID_PATTERN, word)]:
            self.problems.append(f"{key} must be ids of runs; these are not: {', '.join(map(quoted, wrong[:3]))}.")
        return [word for word in given if re.fullmatch(ID_PATTERN, word)]

    def text(self, key: str) -> str:
        given = self._query.get(key, "").strip()
        if len(given) > 100:
            self.problems.append(f"{key} must have at most 100 characters, got {len(given)}.")
        return given[:100]

    def listed(self, key: str) -> list[str]:
        """The words between the commas of parameter `key`, each once."""
        return list(dict.fromkeys(word for word in self._query.get(key, "").split(",") if word))


def read_source(reading: Reading) -> Source:
    study, room = reading.ids("study"), reading.ids("room")
    return {
        "runs": reading.ids("runs"),
        "without": reading.ids("without"),
        "study": study[0] if study else None,
        "text": reading.text("text"),
        "state": reading.some_of("state", STATES, []),
        "policy": reading.names("policy", policy),
        "architecture": reading.names("architecture", catalog.parse),
        "dataset": reading.names("dataset", DATASETS.__getitem__),
        "tag": reading.text("tag"),
        "room": room[0] if room else None,
    }


def filters_of(source: Source) -> Filters:
    """The filters of a source that is a list."""
    return Filters(
        text=source["text"] or None,
        states=cast("list[State]", source["state"]) or None,
        policies=source["policy"] or None,
        architectures=source["architecture"] or None,
        datasets=source["dataset"] or None,
        tag=source["tag"] or None,
        room=source["room"],
    )


def quoted(word: str) -> str:
    """`word` in quotes, shortened if it is long."""
    return repr(word if len(word) <= 40 else f"{word[:37]}...")
