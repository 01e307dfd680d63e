"""How a policy's name says its numbers: the fields of a name, and the rule that reads them.

A name is a stem and a text for each field: `random` + `-2` + `-layer`. The same fields are the components of the
form, and the scripts of the pages read and write names by them (`static/pages/train/policy.js`). Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from core.catalog.policy import Policy


@dataclass(frozen=True)
class NumberField:
    """A whole number from `low` to `high`, said as `-2`. The form shows the `usual` ones to click.

    `unsaid`: the number that a name leaves out. `start` is what the form begins with, and `other` what it begins
    with where one types a number.
    """

    key: str
    label: str
    low: int
    high: int
    usual: tuple[int, ...]
    start: int
    other: int
    unsaid: int | None = None
    kind: Literal["number"] = "number"

    @property
    def pattern(self) -> str:
        said = rf"-([1-9]\d{{0,{len(str(self.high)) - 1}}})"
        return said if self.unsaid is None else f"(?:{said})?"

    @property
    def values(self) -> tuple[str, ...]:
        """What the form offers to click."""
        return tuple(map(str, self.usual))

    def read(self, said: str | None) -> int | None:
        """The number; None where it is out of bounds."""
        number = self.unsaid if said is None else int(said)
        return number if number is not None and self.low <= number <= self.high else None


@dataclass(frozen=True)
class ChoiceField:
    """One of `options`: what people read, its value, and its text in a name."""

    key: str
    label: str
    options: tuple[tuple[str, str, str], ...]
    kind: Literal["choice"] = "choice"

    @property
    def pattern(self) -> str:
        return f"({'|'.join(re.escape(text) for _, _, text in self.options)})"

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(value for _, value, _ in self.options)

    def read(self, said: str | None) -> str | None:
        return next((value for _, value, text in self.options if text == said), None)


@dataclass(frozen=True)
class TicksField:
    """Some of `options` (what people read, value), after `starts[0]` where it is one and `starts[1]` where more.

    `start` is what is ticked when the form begins.
    """

    key: str
    label: str
    options: tuple[tuple[str, str], ...]
    start: tuple[str, ...]
    starts: tuple[str, str]
    separator: str
    kind: Literal["ticks"] = "ticks"

    @property
    def pattern(self) -> str:
        one, many = (re.escape(start) for start in self.starts)
        word, separator = "|".join(map(re.escape, self.values)), re.escape(self.separator)
        return rf"(?:{one}|{many})((?:{word})(?:{separator}(?:{word}))*)"

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(value for _, value in self.options)

    def read(self, said: str | None) -> tuple[str, ...] | None:
        """What is named, in the order of the options; None where something is named twice."""
        named = (said or "").split(self.separator)
        return None if len(set(named)) < len(named) else tuple(value for value in self.values if value in named)


PolicyField = NumberField | ChoiceField | TicksField


@dataclass(frozen=True)
class Wording:
    """The words of the policies whose names match `pattern`, whose group is what `said` stands for in `example`."""

    pattern: str
    example: Policy
    said: str

    def of(self, text: str) -> str:
        """`text` of the example with {k} for what differs."""
        return text.replace(self.said, "{k}")


@dataclass(frozen=True)
class PolicyRule:
    """Policies that differ in the `fields` of their names. `make` gets a value for each field, in order.

    `title` stands in the form beside the other policies of the same `group`, `also` in the message about an unknown
    name, and `wordings` have the words for those that no table lists.
    """

    name: str
    title: str
    group: str
    stem: str
    fields: tuple[PolicyField, ...]
    make: Callable[..., Policy]
    also: str = ""
    wordings: tuple[Wording, ...] = ()

    @property
    def pattern(self) -> str:
        """The names; one group a field."""
        return re.escape(self.stem) + "".join(field.pattern for field in self.fields)

    def policy(self, name: str) -> Policy | None:
        """The policy called `name`; None where the rule knows none."""
        match = re.fullmatch(self.pattern, name)
        if match is None:
            return None
        values: list[Any] = [field.read(said) for field, said in zip(self.fields, match.groups(), strict=True)]
        return None if None in values else self.make(*values)


@dataclass(frozen=True)
class PolicyGroup:
    """The first step of "what trains" in the form.

    `key` and `label` are of the field for the second step, which a group has where more than one entry is in it.
    """

    name: str
    title: str
    key: str
    label: str = "Which of them"
