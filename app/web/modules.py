"""The modules that a script of static/ imports, so that a page can name all of them at once.

Without that, a browser learns of each module only when it has read the one before: a round trip for every step.
"""

from __future__ import annotations

import re
from functools import lru_cache
from posixpath import dirname, join, normpath

from app.web.assets import STATIC

IMPORT = re.compile(r'^import\s+(?:\{[^}]*\}\s+from\s+)?"(\.[^"]+)";', re.MULTILINE)


@lru_cache
def modules(entry: str) -> tuple[str, ...]:
    """`entry` ("site/shell.js") and all modules that it needs at once, each before those that import it."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        text = (STATIC / name).read_text("utf-8")
        for address in IMPORT.findall(text):
            if (other := normpath(join(dirname(name), address))) not in found:
                visit(other)
        found[name] = None

    visit(entry)
    return tuple(found)


def preloads(entry: str) -> str:
    """The tags for a page's head that load `entry` and all that it needs side by side."""
    return "".join(f'<link rel="modulepreload" href="/static/{name}">' for name in modules(entry))
