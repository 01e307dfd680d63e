"""The pages of a frozen site as HTML files that lie beside each other, and the scripts and styles that they load.

They have the same parts and scripts as the live pages (app/pages). Only their addresses differ: /run?id=... is
run.html?id=..., so that any file server has them, in any folder. static/base/address.js knows the same rule.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlsplit

from app.freeze.folder import Folder
from app.pages import landing, player, shell
from app.pages.options import options_json
from app.pages.parts import parts_of
from app.pages.table import PAGES, Page
from app.web.assets import FONT, JOINED, PACKED, PLOTLY, STATIC, sheets, unpacked
from app.web.modules import modules

FROZEN = {path: page for path, page in PAGES.items() if page.frozen}
"""The pages that a frozen site has, by path."""
SHARED = ("base", "charts", "images", "server", "site")
"""The folders of static/ whose scripts all pages share."""
WHOLE = ("engine", "player")
"""The folders of static/ of which a frozen site has every file: the player, and what trains in a tab."""
SCRIPT = "site/frozen.js"
"""The script of all pages but the first, which has the header in its own."""
MOUNT = """<script type="module">
import {{ mount }} from "./static/{}";
mount(document.getElementById("{}"));
</script>"""
"""What Gradio does in the live site (app/pages/panels.py)."""
LIVE = re.compile(r"<(span|section)\b[^>]*\sdata-live>.*?</\1>", re.DOTALL)
"""What a page says only where there is a server; it holds no other element of its kind."""
LINK = re.compile(r'<a\b[^>]*?\bhref="(/[^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
ADDRESS = re.compile(r'\b(href|src)="(/[^"]*)"')
STATIC_FILE = re.compile(r'"(static/[^"?#]+\.(?:svg|webp|png))')


def at(address: str) -> str | None:
    """`address` of the live site in a frozen one; None if it has no such page or file.

    >>> at("/run?id=abcdef#curves"), at("/"), at("/static/site.css?v=1"), at("/train")
    ('run.html?id=abcdef#curves', 'index.html', 'static/site.css?v=1', None)
    """
    if address.startswith(("/static/", player.ADDRESS)):
        return address[1:]
    page = FROZEN.get(urlsplit(address).path)
    return file_of(page) + address[len(page.path) :] if page else None


def file_of(page: Page) -> str:
    """The file of `page`."""
    return "index.html" if page.path == "/" else f"{page.name}.html"


def write(folder: Folder, day: str) -> None:
    """Write all pages with what they load. `day`: of the freeze, in words."""
    pages = {file_of(page): document(page, day) for page in FROZEN.values()}
    for name, text in pages.items():
        folder.write(name, text)
    named = {f"static/{FONT}", *(name for text in pages.values() for name in STATIC_FILE.findall(text))}
    names = {name.removeprefix("static/") for name in named} | {"vendor/inter-LICENSE.txt", "favicon.svg"}
    for part in (*SHARED, *(f"pages/{page.name}" for page in FROZEN.values())):
        names |= {file.relative_to(STATIC).as_posix() for file in (STATIC / part).rglob("*.js")}
    names |= {f"examples/{name}" for name in player.EXAMPLES}
    for part in WHOLE:
        names |= {file.relative_to(STATIC).as_posix() for file in (STATIC / part).rglob("*") if file.is_file()}
    folder.write(f"{player.ADDRESS[1:]}index.html", player.document())
    for name in sorted(names):
        folder.write(f"static/{name}", (STATIC / name).read_bytes())
    style = "\n".join(sheet.read_text("utf-8") for sheet in sheets(STATIC))
    folder.write(f"static/{JOINED}", style.replace('url("/static/', 'url("'))
    folder.write(f"static/{PLOTLY}", unpacked(STATIC / PACKED))


def document(page: Page, day: str) -> str:
    """The file of `page`."""
    known = options_json(pages=[{"path": row.path, "opens": row.opens} for row in FROZEN.values()])
    if page.path == "/":
        body, script, loaded = landing.body(known, frozen=True), landing.SCRIPT, [landing.SCRIPT]
    else:
        parts = parts_of(page)
        mounted = "".join(f'<div class="panel-host" id="{part.name}">{part.html}</div>' for part in parts)
        mounts = "".join(MOUNT.format(part.module, part.name) for part in parts if part.module)
        body = f'{mounted}<script id="onlybn-options" type="application/json">{known}</script>{mounts}'
        script, loaded = SCRIPT, [SCRIPT, *(part.module for part in parts if part.module)]
    needed = dict.fromkeys(name for entry in loaded for name in modules(entry))
    head = f'<meta name="description" content="{escape(page.description)}">' + "".join(
        f'<link rel="modulepreload" href="/static/{name}">' for name in needed
    )
    links = [link for path, link in shell.LINKS.items() if path in FROZEN]
    text = shell.page(page.link_title, body, script=script, head=head, top=shell.header(links))
    marks = f'<html data-frozen="{page.path}" data-pages="{" ".join(FROZEN)}"'
    text = text.replace("MIT licence.", f"MIT licence. This is a copy without a server, frozen on {day}.")
    return _relative(text).replace("<html", marks, 1)


def _relative(html: str) -> str:
    """`html` with addresses of the frozen site; a link to what it lacks becomes its words."""
    html = LINK.sub(lambda link: link[0] if at(link[1]) else link[2], LIVE.sub("", html))
    return ADDRESS.sub(lambda found: f'{found[1]}="{at(found[2]) or "#"}"', html)
