"""The style sheets of static/sheets/ and the order in which they speak; pages load them as one, static/site.css.

Where two rules are equally specific, the later sheet wins: first the values and words, then what many pages use, then
each page. What the sheets say is theirs; `app.web.assets` serves them.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = "sheets"
JOINED = "site.css"
ORDER = (
    *("tokens", "type", "gradio", "site"),
    *("buttons", "badges", "notes", "progress", "toast"),
    *("form", "tiles"),
    *("cards", "page", "plain", "stats", "menu", "fields", "tabs", "tables"),
    *("charts", "data", "legend", "network", "shades"),
    *("code", "details", "log"),
    *("preview", "experiments", "train"),
    *("extend", "player", "run", "runs", "pinned", "queue", "workers", "paper", "compare"),
    *("term", "keys", "about", "sheet", "embed"),
    *("surgery", "threshold", "features", "image"),
    "gallery",
)


def sheets(static: Path) -> tuple[Path, ...]:
    """The files of which site.css is made."""
    return tuple(static / FOLDER / f"{name}.css" for name in ORDER)
