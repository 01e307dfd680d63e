"""`python -m tests.browser.texts [folder ...]`: every text that a person may get to see, sorted by place.

It reads the sources and guesses: a text is a literal with at least two words. Docstrings, comments, imports and
selectors are left out. Read the list from top to bottom as a stranger would.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("app", "core", "jobs", "static")
VENDOR = "static/vendor"
TWO_WORDS = re.compile(r"(?=.*[^\W\d_]{2}).*\S\s+\S", re.DOTALL)
NOT_SAID = re.compile(r"^(use strict|[.#&>*\[][\w\-.#\[\]:>(), =*\"']*|[\w-]+(, ?| )[.#][\w\-., #]*|[MLHVZ][\d., -]*)$")
TAGS = re.compile(r"\{[{%#].*?[}%#]\}|<(style|script|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
SPOKEN = re.compile(r"\b(?:title|alt|aria-label|placeholder|content)=\"([^\"]+)\"")
BEFORE_PATTERN = set("(,=:[!&|?{};>+\n")

Text = tuple[int, str]


def spoken(text: str) -> bool:
    """Whether a literal looks like something a person reads."""
    return bool(TWO_WORDS.match(text.strip())) and not NOT_SAID.match(text.strip())


def of_python(source: str) -> Iterator[Text]:
    """Literals of a module, f-strings with their fields as `{…}`; statements that are only a string are docstrings."""
    tree = ast.parse(source)
    hidden: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            hidden.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            hidden |= {id(part) for part in node.values}
            parts = [part for part in node.values if isinstance(part, ast.Constant | ast.FormattedValue)]
            words = (p.value if isinstance(p, ast.Constant) else f"{{{ast.unparse(p.value)}}}" for p in parts)
            yield node.lineno, "".join(map(str, words))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.lineno, node.value


class Script:
    """The literals of a JavaScript module, taken one character after the other."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.found: list[tuple[int, str]] = []

    def quoted(self, quote: str) -> None:
        """A string, or a template; the code within a template's `${}` is read too."""
        start = self.at
        self.at += 1
        parts: list[str] = []
        while self.at < len(self.source) and self.source[self.at] != quote:
            if self.source[self.at] == "\\":
                parts.append(self.source[self.at : self.at + 2])
                self.at += 2
            elif quote == "`" and self.source.startswith("${", self.at):
                inside = self.at
                self.at += 2
                self.code("}")
                parts.append(self.source[inside + 1 : self.at])
            else:
                parts.append(self.source[self.at])
                self.at += 1
        self.at += 1
        self.found.append((start, "".join(parts)))

    def code(self, until: str = "") -> None:
        """Everything up to a closing bracket, or to the end."""
        depth, last = 0, "\n"
        while self.at < len(self.source):
            char = self.source[self.at]
            if self.source.startswith(("//", "/*"), self.at):
                end = self.source.find("\n" if self.source[self.at + 1] == "/" else "*/", self.at)
                self.at = len(self.source) if end < 0 else end + 2 * (self.source[self.at + 1] == "*")
                continue
            if char in "\"'`":
                self.quoted(char)
                last = char
                continue
            if char == "/" and last in BEFORE_PATTERN:
                pattern = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\n\\\[])+/\w*").match(self.source, self.at)
                self.at = pattern.end() if pattern else self.at + 1
                last = "/"
                continue
            if char == until and depth == 0:
                self.at += 1
                return
            depth += (char == "{") - (char == "}")
            last = last if char in " \t" else char
            self.at += 1


def of_script(source: str) -> Iterator[Text]:
    """Literals of a JavaScript module, without what it imports."""
    script = Script(
        re.sub(r"^(import|export)\b[^;]*?from \"[^\"]*\";", lambda m: "\n" * m[0].count("\n"), source, flags=re.M)
    )
    script.code()
    for start, text in script.found:
        yield script.source.count("\n", 0, start) + 1, text


def of_template(source: str) -> Iterator[Text]:
    """What stands between the tags of a template, and what its tags say aloud."""
    for match in SPOKEN.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, match[1]
    bare = TAGS.sub(lambda match: "{…}" * match[0].startswith("{{") + "\n" * match[0].count("\n"), source)
    yield from enumerate(bare.splitlines(), 1)


READERS = {".py": of_python, ".js": of_script, ".j2": of_template}


def texts(places: tuple[str, ...] = PLACES) -> Iterator[str]:
    """One line per text: where it is, and what it says."""
    for path in sorted(path for place in places for path in (ROOT / place).rglob("*")):
        name = str(path.relative_to(ROOT))
        if path.suffix in READERS and not name.startswith(VENDOR):
            for line, text in sorted(READERS[path.suffix](path.read_text())):
                if spoken(text):
                    yield f"{name}:{line}: {' '.join(text.split())}"


if __name__ == "__main__":
    print("\n".join(texts(tuple(sys.argv[1:]) or PLACES)))
