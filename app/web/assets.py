"""The files that pages load: the repository's static/, with its style sheets joined into one and the part of Plotly.js
that draws our charts, and Gradio's scripts.

They stay in memory with their compressed forms, so that each is compressed only once. Browsers revalidate our files by
ETag; Gradio's have a hash in their names and never change. Unknown names go on to Gradio, which has its own /static/
(fonts, logos).
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import brotli
from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from app.web import gradio_internals

STATIC = Path(__file__).parents[2] / "static"
PREFIX = "/static/"
HASHED = "/assets/"
PLOTLY = "plotly.min.js"
PACKED = f"vendor/{PLOTLY}.br"
"""Plotly lies in static/ compressed; static/vendor/README.md says how it was made."""
COMPRESSED = (".js", ".css", ".svg", ".json", ".html", ".txt", ".map")
QUALITY = 9
"""Of Brotli: the best, 11, takes ten times as long for 4% less."""
YEAR_S = 365 * 86_400
SHEETS = "sheets"
JOINED = "site.css"
FONT = "vendor/inter-4.1.woff2"
FONT_LINK = f'<link rel="preload" href="{PREFIX}{FONT}?v=1" as="font" type="font/woff2" crossorigin>'
"""For the head of a page: the font comes with the first picture, or not before the next page (tokens.css)."""
ORDER = (
    *("tokens", "type", "gradio", "site"),
    *("buttons", "badges", "notes", "progress", "toast"),
    *("form", "tiles"),
    *("cards", "page", "plain", "stats", "menu", "fields", "tabs", "tables"),
    *("charts", "data", "legend", "network", "shades"),
    *("code", "details", "log"),
    *("preview", "hero", "experiments", "train", "asking"),
    *("extend", "player", "run", "runs", "pinned", "queue", "workers", "admin"),
    *("paper", "findings", "compare", "answer"),
    *("term", "keys", "about", "sheet", "embed"),
    *("surgery", "threshold", "features", "image", "adapt", "tasks"),
    *("gallery", "play"),
    *("labels", "room", "webhook"),
    "print",
)
"""The style sheets of static/sheets/ in their order of precedence; pages load them joined, as /static/site.css.

Of two equally specific rules, the one in the later sheet wins. The order: values and text, what many pages share, each
page.
"""


@dataclass(frozen=True)
class Asset:
    """A response made from files in their state at `stamp` (modification time and size of each)."""

    stamp: tuple[tuple[int, int], ...]
    media_type: str
    etag: str
    plain: bytes
    packed: Mapping[str, bytes]
    """The compressed forms by the name of their encoding, the smallest first."""


def file_in(folder: Path, name: str) -> Path | None:
    """The file `name` below `folder`; None if there is none, or if the name leads outside the folder."""
    try:
        found = (folder / name).resolve()
        return found if found.is_relative_to(folder) and found.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, or a circle of links
        return None


def sheets(static: Path) -> tuple[Path, ...]:
    """The files that make up site.css."""
    return tuple(static / SHEETS / f"{name}.css" for name in ORDER)


def unpacked(file: Path) -> bytes:
    """The content of a file that lies compressed by Brotli."""
    return brotli.decompress(file.read_bytes())


class Assets(BaseRoute):
    """The route /static/NAME for the files below `folder`, site.css, plotly.min.js, and Gradio's /assets/NAME.

    A browser revalidates a file each time and mostly gets 304, so a changed file shows at the next reload. With
    `?v=...` in the address, it may cache the file for a year.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self.folder = folder.resolve()
        self.hashed = gradio_internals.scripts()
        self._kept: dict[tuple[Path, ...], Asset] = {}

    def files(self, path: str) -> tuple[Path, ...]:
        """The files that make up the response for `path`; none if the path is not ours."""
        if path == PREFIX + JOINED:
            return sheets(self.folder)
        file = self._file(path)
        return (file,) if file else ()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and (files := self.files(scope["path"])):
            return Match.FULL, {"asset": files}
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        asset = await anyio.to_thread.run_sync(self._load, scope["asset"])
        await _answer(Request(scope), asset)(scope, receive, send)

    def _file(self, path: str) -> Path | None:
        if path.startswith(HASHED):
            return file_in(self.hashed, path.removeprefix(HASHED))
        if not path.startswith(PREFIX):
            return None
        name = path.removeprefix(PREFIX)
        return file_in(self.folder, PACKED if name == PLOTLY else name)

    def _load(self, files: tuple[Path, ...]) -> Asset:
        stamp = tuple((status.st_mtime_ns, status.st_size) for status in map(Path.stat, files))
        kept = self._kept.get(files)
        if kept is None or kept.stamp != stamp:
            kept = self._kept[files] = _asset(stamp, files)
        return kept


def _asset(stamp: tuple[tuple[int, int], ...], files: tuple[Path, ...]) -> Asset:
    plain = b"\n".join(file.read_bytes() for file in files)
    name, packed = files[0].name, {}
    if name.endswith(".br"):
        name, packed, plain = name.removesuffix(".br"), {"br": plain}, brotli.decompress(plain)
    elif name.endswith(COMPRESSED):
        packed = {"br": brotli.compress(plain, quality=QUALITY)}
    if packed:
        packed["gzip"] = gzip.compress(plain, 6, mtime=0)
    kind = "font/woff2" if name.endswith(".woff2") else mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(stamp, kind, hashlib.sha256(plain).hexdigest()[:20], plain, packed)


def _answer(request: Request, asset: Asset) -> Response:
    taken = {part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    way = next((name for name in asset.packed if name in taken), None)
    etag = f'"{asset.etag}{f"-{way}" if way else ""}"'
    never_changes = "v" in request.query_params or request.url.path.startswith(HASHED)
    keep = f"public, max-age={YEAR_S}, immutable" if never_changes else "no-cache"
    headers = {"ETag": etag, "Cache-Control": keep}
    if asset.packed:
        headers["Vary"] = "Accept-Encoding"
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if way:
        headers["Content-Encoding"] = way
    return Response(asset.packed[way] if way else asset.plain, headers=headers, media_type=asset.media_type)
