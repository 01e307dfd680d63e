"""The player: a page of static files that needs no server once it is loaded, at /player/."""

from __future__ import annotations

from functools import lru_cache

from app.web.assets import STATIC

ADDRESS = "/player/"
FILE = STATIC / "player" / "index.html"
"""Its script is "player/page.js"; all its addresses are relative to the folder of this file."""

EXAMPLES = ("1-batchnorm.safetensors", "2-random-2.safetensors", "3-output.safetensors")
"""The shipped networks that the page offers, in static/examples."""


@lru_cache(1)
def document() -> str:
    """The page for ADDRESS: the file, with its addresses relative to where the file lies."""
    return FILE.read_text().replace("<head>", '<head>\n<base href="../static/player/">', 1)
