"""Makes documents: HTML files that need no network. Here are their shell and look, and how a template becomes a file.

The text of a document is in its template: of a run in app/sharing/report.html.j2, of a study in study.html.j2 here, of
a comparison in static/pages/compare/document.js. Its Content-Security-Policy allows only the scripts of
static/documents/ that it was made with, and lets it load nothing. Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from secrets import token_hex

from markupsafe import Markup

from core.documents.templates import ROOT, render

STATIC = ROOT / "static"


def page(template: str, title: str, data: str, scripts: Sequence[str], **values: object) -> str:
    """The whole file. `template` extends document.html.j2; `data` is the JSON that `scripts` of static/documents/ draw.

    Three texts are not escaped, because a browser reads no entities in their elements: the style sheet and the scripts,
    which are our own files, and the JSON, in which no "<" remains that could end its element.
    """
    return render(
        template,
        title=title,
        style=Markup(style()),
        script=Markup("\n".join(_file(f"documents/{name}") for name in ("pen.js", *scripts))),
        data=Markup(data.replace("<", "\\u003c")),
        **values,
    )


def pieces(template: str, title: str, scripts: Sequence[str], **values: object) -> list[str]:
    """The file in three pieces, for a browser that puts its own text between them.

    The first gap is where the template prints `gap`, the second is the data, in which "<" must be \\u003c.
    """
    gap = token_hex()  # random, so that nobody can write it into a name
    return page(template, title, gap, scripts, gap=gap, **values).split(gap)


@lru_cache(1)
def style() -> str:
    """The documents' style sheet with the site's colours; dark if the reader's system is dark.

    `--away` is what a shade of a colour is mixed with (static/charts/colors.js).
    """
    site = _file("sheets/tokens.css")
    light, dark = (re.search(rf"^{name} {{\n(.*?)^}}", site, re.DOTALL | re.MULTILINE) for name in (":root", r"\.dark"))
    assert light and dark
    return (
        f":root {{\n{light[1]}  --away: #000;\n}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{\n{dark[1]}  --away: #fff;\n}} }}\n"
        + _file("documents/report.css")
        + _file("documents/figures.css")
    )


@lru_cache(8)
def _file(name: str) -> str:
    text = (STATIC / name).read_text(encoding="utf-8")
    assert "</" not in text, f"{name} would end its element in a document"
    return text
