"""The style sheets keep their shape: short, all of them loaded, and each thing on a page has one that styles it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.assets import ORDER, STATIC, sheets

LONGEST = 300
FILES = {file.stem: file for file in sheets(STATIC)}
# What stands around other things and says nothing of their noun: every panel, the form of the Train page, the theme.
AROUND = re.compile(r"^((\.panel-host|#form|#advanced)\s+)+|^(body)?\.dark$")


def selectors(sheet: str) -> Iterator[str]:
    """Every selector of a sheet by itself, those within media queries too; key frames have none."""
    text = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    text = re.sub(r"@keyframes [\w-]+ \{(\s*[\w%]+ \{[^}]*\})*\s*\}", "", text)
    for prelude in re.findall(r"([^{};]+)\{", text):
        if not prelude.strip().startswith("@"):
            yield from split(" ".join(prelude.split()))


def split(prelude: str) -> list[str]:
    """`a, b:is(c, d)` as `a` and `b:is(c, d)`."""
    parts, depth = [""], 0
    for letter in prelude:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def leading(selector: str) -> str | None:
    """The class, id or mark that a selector begins with: `.run-title .badge` belongs to the title of a run."""
    found = re.search(r"[.#][\w-]+|\[data-embed\]", AROUND.sub("", selector))
    return found[0] if found else None


def test_every_sheet_is_loaded_once() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert set(FILES.values()) == set((STATIC / "sheets").iterdir())


@pytest.mark.parametrize("file", sorted(STATIC.rglob("*.css")), ids=lambda file: file.stem)
def test_a_sheet_can_be_read_in_one_sitting_and_says_what_lives_in_it(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= LONGEST
    assert text.startswith("/* ")


def test_a_class_is_styled_by_one_sheet() -> None:
    """A sheet may say how another's noun looks within its own (`.run-title .badge`), and nowhere else. The last one
    says how everything looks on paper."""
    found: dict[str, set[str]] = {}
    for name, file in FILES.items():
        if name == "print":
            continue
        for selector in selectors(file.read_text()):
            if own := leading(selector):
                found.setdefault(own, set()).add(name)
    assert len(found) > 100
    assert not {own: names for own, names in found.items() if len(names) > 1}
