"""The files that pages load: the repository's static/, with its style sheets joined into one, Plotly.js as the plotly
package brings it, Gradio's scripts.

They stay in memory with their gzip form, so that plotly.min.js (4.8 MB) is compressed only once. Browsers revalidate
our files by ETag; Gradio's have a hash in their names and never change. Unknown names go on to Gradio, which has its
own /static/ (fonts, logos).
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from app.web import gradio_internals
from app.web.packages import plotly_file

STATIC = Path(__file__).parents[2] / "static"
PREFIX = "/static/"
HASHED = "/assets/"
COMPRESSED = (".js", ".css", ".svg", ".json", ".html", ".txt", ".map")
YEAR_S = 365 * 86_400
SHEETS = "sheets"
JOINED = "site.css"
ORDER = (
    *("tokens", "type", "gradio", "site"),
    *("buttons", "badges", "notes", "progress", "toast"),
    *("form", "tiles"),
    *("cards", "page", "plain", "stats", "menu", "fields", "tabs", "tables"),
    *("charts", "data", "legend", "network", "shades"),
    *("code", "details", "log"),
    *("preview", "hero", "experiments", "train"),
    *("extend", "player", "run", "runs", "pinned", "queue", "workers", "paper", "findings", "compare", "answer"),
    *("term", "keys", "about", "sheet", "embed"),
    *("surgery", "threshold", "features", "image"),
    "gallery",
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
    zipped: bytes | None


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


class Assets(BaseRoute):
    """The route /static/NAME for the files below `folder`, site.css, plotly.min.js, and Gradio's /assets/NAME.

    A browser revalidates a file each time and mostly gets 304, so a changed file shows at the next reload. With
    `?v=...` in the address, it may cache the file for a year.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self.folder = folder.resolve()
        self.plotly = plotly_file()
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
        return self.plotly if name == self.plotly.name else file_in(self.folder, name)

    def _load(self, files: tuple[Path, ...]) -> Asset:
        stamp = tuple((status.st_mtime_ns, status.st_size) for status in map(Path.stat, files))
        kept = self._kept.get(files)
        if kept is None or kept.stamp != stamp:
            plain = b"\n".join(file.read_bytes() for file in files)
            kept = self._kept[files] = Asset(
                stamp,
                mimetypes.guess_type(files[0].name)[0] or "application/octet-stream",
                hashlib.sha256(plain).hexdigest()[:20],
                plain,
                gzip.compress(plain, 6, mtime=0) if files[0].suffix in COMPRESSED else None,
            )
        return kept


def _answer(request: Request, asset: Asset) -> Response:
    zipped = asset.zipped is not None and "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{asset.etag}{"-gzip" if zipped else ""}"'
    never_changes = "v" in request.query_params or request.url.path.startswith(HASHED)
    keep = f"public, max-age={YEAR_S}, immutable" if never_changes else "no-cache"
    headers = {"ETag": etag, "Cache-Control": keep}
    if asset.zipped is not None:
        headers["Vary"] = "Accept-Encoding"
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
    body = asset.zipped if zipped and asset.zipped is not None else asset.plain
    return Response(body, headers=headers, media_type=asset.media_type)
