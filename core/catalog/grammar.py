"""The grammar of policy names: the fields of a name, and the rule that reads them.

A name is a stem and a text for each field: `random` + `-2` + `-layer`. The form has a component for each field, and the
scripts of the pages use the fields to read and write names (`static/pages/train/policy.js`). Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from core.catalog.policy import Policy


@dataclass(frozen=True)
class NumberField:
    """A whole number from `low` to `high`, written as `-2`. The form offers the `usual` ones to click.

    `unsaid` is the number of a name that says none. `start` is the form's first choice, and `other` is the first number
    in the form's field for typing one.
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
    """One of `options`; each has a label, a value, and a text in the name."""

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
    """One or more of `options` (label, value). In a name, one value follows `starts[0]`, several follow `starts[1]`.

    `start` is what the form ticks at first.
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
        """The named values, in the order of the options; None if a value is named twice."""
        named = (said or "").split(self.separator)
        return None if len(set(named)) < len(named) else tuple(value for value in self.values if value in named)


PolicyField = NumberField | ChoiceField | TicksField


@dataclass(frozen=True)
class Wording:
    """The words of the policies whose names match `pattern`; its group takes the place of `said` in `example`."""

    pattern: str
    example: Policy
    said: str

    def of(self, text: str) -> str:
        """`text` of the example, with {k} in place of what differs."""
        return text.replace(self.said, "{k}")


@dataclass(frozen=True)
class PolicyRule:
    """Policies that differ in the `fields` of their names. `make` gets a value for each field, in order.

    The form shows `title` beside the other policies of the same `group`, the message about an unknown name includes
    `also`, and `wordings` have the words for the policies that no table lists.
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
        """A regular expression for the names, with one group for each field."""
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
    """A group of policies: the first step of "what trains" in the form.

    `key` and `label` belong to the field for the second step, which the form has if the group has several entries.
    """

    name: str
    title: str
    key: str
    label: str = "Which of them"
