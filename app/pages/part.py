"""A part of a page."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """An element with the id `name` that has `html`, which `mount(element)` of the module `static/MODULE` fills or
    completes; without a module it stays as it is."""

    html: str
    module: str | None
    name: str
