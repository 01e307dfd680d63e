"""The bounds of an address, and the hosts under which the site may be asked, before anything parses them."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import Scope

from app.web.answers import refuse

MAX_PATH = 250
MAX_QUERY = 20_000
"""The address of a picture may name 200 runs twice: 18,000 bytes."""
MAX_PARAMETERS = 100
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CONTROL = re.compile(rb"[\x00-\x1f\x7f]|%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
"""A control character in a query. No database keeps a NUL, and no field takes the others."""
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.IGNORECASE)


def refuse_address(scope: Scope) -> JSONResponse | None:
    """The response to an address or a method that is not read here; None if it is."""
    query, path = scope["query_string"], scope["path"]
    if scope["method"] not in METHODS:
        answer = refuse(405, f"this site accepts {', '.join(METHODS)}")
        answer.headers["Allow"] = ", ".join(METHODS)
        return answer
    if len(scope.get("raw_path") or b"") > MAX_PATH or len(path) > MAX_PATH:
        return refuse(414, f"the path is longer than {MAX_PATH} characters")
    if len(query) > MAX_QUERY or query.count(b"&") >= MAX_PARAMETERS:
        most = f"{MAX_QUERY:,} characters or {MAX_PARAMETERS} parameters"
        return refuse(414, f"the query after the ? has more than {most}")
    if CONTROL.search(query) or any(letter < " " or letter == "\x7f" for letter in path):
        return refuse(400, "the address has a control character")
    return None


class Hosts:
    """The names under which the site may be asked.

    A page of another site can make a name of its own point to this machine, and its browser then takes the two for one
    site. So only names are answered that are this machine's; a bare IP address cannot be made to point elsewhere.
    """

    def __init__(self, host: str = "127.0.0.1", public_url: str | None = None, others: Iterable[str] = ()) -> None:
        public = urlsplit(public_url).hostname if public_url else None
        here = (socket.gethostname(), socket.gethostname() + ".local") if _is_any(host) else ()
        self._names = {name.lower().rstrip(".") for name in (*here, *others, host, public or "") if name}

    def knows(self, header: str) -> bool:
        """Whether `header`, what a request names as its host, is one of them. Old clients name none."""
        if not header:
            return True
        match = HOST.fullmatch(header)
        if match is None:
            return False
        name = match[1].lower().strip("[]").rstrip(".")
        return name == "localhost" or name.endswith(".localhost") or name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_any(host: str) -> bool:
    """Whether `host` stands for all addresses of this machine."""
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified
