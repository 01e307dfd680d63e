"""The ways in: a password, the name that a trusted proxy sends, a log-in at Hugging Face.

Each way says who sends a request, and answers the addresses at which one signs in. The gate asks it.
"""

from __future__ import annotations

import base64
import binascii
from ipaddress import ip_address, ip_network
from typing import Protocol
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.web.answers import refuse
from app.web.auth.pages import IN, NO_STORE, password_page
from app.web.auth.sessions import Account, Sessions
from app.web.auth.tries import TRIES_WITHIN_S, Tries, address_of, digest_of

PEER = "onlybn.peer"
"""Where the scope of a request has the address that opened the connection, before a proxy's word replaces it."""
LONGEST_FORM = 4096


class Way(Protocol):
    """A way in."""

    def account(self, request: Request) -> Account | None:
        """Who sends this request; None: nobody that is known."""

    async def answer(self, request: Request, after: str) -> Response | None:
        """The answer of an address of signing in; None: there is no such address. `after`: where to go then."""

    def refusal(self) -> Response:
        """The answer to a program that has not signed in."""


def signed_in(sessions: Sessions, account: Account, after: str) -> Response:
    """The response that signs `account` in and leads on."""
    answer = RedirectResponse(after, 303, NO_STORE)
    for cookie in sessions.start(account):
        answer.headers.append("Set-Cookie", cookie)
    return answer


class Password:
    """One password for all. Programs send it as that of HTTP Basic, with any user name."""

    def __init__(self, password: str, sessions: Sessions, tries: Tries | None = None) -> None:
        self._digest = digest_of(password)
        self._sessions = sessions
        self._tries = tries or Tries()

    def account(self, request: Request) -> Account | None:
        if found := self._sessions.account(request.headers):
            return found
        given = _basic(request.headers)
        return Account("") if given is not None and self._is_right(request, given) else None

    async def answer(self, request: Request, after: str) -> Response | None:
        if request.url.path != IN:
            return None
        framed = request.headers.get("sec-fetch-dest") in ("iframe", "frame")
        if request.method != "POST":
            return password_page(after, framed=framed)
        body = await request.body()
        if len(body) > LONGEST_FORM:
            return password_page("/", "That is too long for a password.", 413)
        form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8, keep_blank_values=True)
        after = local(form.get("next", ["/"])[0])
        if self._tries.too_many(address_of(request)):
            answer = password_page(after, "Too many wrong passwords from here. Wait a minute.", 429)
            answer.headers["Retry-After"] = str(int(TRIES_WITHIN_S))
            return answer
        if self._is_right(request, form.get("password", [""])[0]):
            return signed_in(self._sessions, Account(""), after)
        return password_page(after, "Wrong password.", 401)

    def refusal(self) -> Response:
        return unknown("sign in first: open /sign-in in a browser, or send the password by HTTP Basic")

    def _is_right(self, request: Request, given: str) -> bool:
        return self._tries.right(address_of(request), given, self._digest)


class Proxy:
    """The name in `header`, if one of the proxies at `trusted` sent it (networks, with commas between)."""

    def __init__(self, header: str, trusted: str, allowed: frozenset[str]) -> None:
        self._header, self._allowed = header, allowed
        self._trusted = [ip_network(part.strip(), strict=False) for part in trusted.split(",") if part.strip()]

    def account(self, request: Request) -> Account | None:
        names = [name.strip() for name in request.headers.getlist(self._header)]
        if len(names) != 1 or not names[0] or not self._is_trusted(request.scope.get(PEER)):
            return None
        return Account(names[0]) if not self._allowed or names[0].casefold() in self._allowed else None

    async def answer(self, request: Request, after: str) -> Response | None:
        return None

    def refusal(self) -> Response:
        return refuse(403, "this site is open only to people its proxy has signed in; sign in through the proxy")

    def _is_trusted(self, peer: str | None) -> bool:
        try:
            address = ip_address(peer or "")
        except ValueError:
            return False
        return any(address in network for network in self._trusted if network.version == address.version)


def local(address: str) -> str:
    """`address` if it is one of this site, else the first page: nobody is led to another site after signing in."""
    plain = address.isprintable() and "\\" not in address and len(address) <= 2000
    if not plain or not address.startswith("/") or address.startswith(("//", IN)):
        return "/"
    return address


def unknown(words: str) -> Response:
    """401, with a scheme that no browser opens a window for."""
    answer = refuse(401, words)
    answer.headers["WWW-Authenticate"] = 'OnlyBN realm="OnlyBN"'
    return answer


def _basic(headers: Headers) -> str | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic" or len(value) > LONGEST_FORM:
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
