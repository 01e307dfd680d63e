"""The gate: where a way in is set (ONLYBN_AUTH), nothing behind it answers somebody who has not signed in.

It stands before every page, route, file and the feed, in one place. A request that passes names its account in
`request.state.account`.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import Settings
from app.web.answers import refuse
from app.web.assets import JOINED
from app.web.auth.hugging_face import HuggingFace, Provider
from app.web.auth.pages import IN, NO_STORE, OUT, out_page
from app.web.auth.sessions import Sessions
from app.web.auth.ways import PEER, Password, Proxy, Way, local

OPEN = frozenset({"/healthz", "/readyz", "/metrics", f"/static/{JOINED}", "/static/favicon.svg"})
"""What answers everybody: the probes, /metrics (which has a token of its own), and the style of the sign-in page."""
PROGRAMS = ("/api/", "/static/", "/assets/", "/gradio_api/")


class Peer:
    """The outermost middleware: keeps the address that opened the connection, whatever a proxy says later."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if client := scope.get("client"):
            scope[PEER] = client[0]
        await self.app(scope, receive, send)


class Gate:
    """Lets pass whom `way` knows. `sessions`: None where signing in and out is the proxy's."""

    def __init__(self, app: ASGIApp, way: Way, sessions: Sessions | None) -> None:
        self.app, self.way, self.sessions = app, way, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = await self._instead(request)
        await (answer or self.app)(scope, receive, send)

    async def _instead(self, request: Request) -> Response | None:
        """The answer that the request gets from the gate; None: it may pass."""
        path = request.url.path
        if self.sessions and path == OUT:
            return self._out(request, self.sessions)
        if path == IN or path.startswith(f"{IN}/"):
            if request.method not in ("GET", "HEAD", "POST"):
                return refuse(405, f"{path} takes GET or POST, not {request.method}")
            after = local(request.query_params.get("next", "/"))
            return await self.way.answer(request, after) or refuse(404, "there is nothing at this address")
        account = self.way.account(request)
        if account is not None:
            request.state.account = account
            return None
        if self.sessions and _looks_for_a_page(request):
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{IN}?next={quote(local(path + query), safe='/')}", 303, NO_STORE)
        return self.way.refusal()

    def _out(self, request: Request, sessions: Sessions) -> Response:
        if request.method != "POST":
            account = self.way.account(request)
            return out_page(None if account is None else account.name)
        answer = RedirectResponse(OUT, 303, NO_STORE)
        for cookie in sessions.end(request.headers):
            answer.headers.append("Set-Cookie", cookie)
        return answer


def door(settings: Settings) -> tuple[Way, Sessions | None] | None:
    """The way in that the settings name, and its sessions; None: everybody may enter."""
    allowed = frozenset(name.strip().casefold() for name in settings.auth_users.split(",") if name.strip())
    if settings.auth == "none":
        return None
    if settings.auth == "proxy":
        return Proxy(settings.auth_header, settings.trusted_proxies, allowed), None
    secret = settings.auth_password if settings.auth == "password" else settings.oauth_client_secret
    assert secret is not None and (settings.auth == "password" or settings.oauth_client_id)  # Settings has checked it
    # With another password or client, old sessions end.
    key = settings.signing_key() + b"/" + settings.auth.encode() + b"/" + secret.get_secret_value().encode()
    sessions = Sessions(key, settings.auth_hours * 3600, settings.url.startswith("https://"))
    if settings.auth == "password":
        return Password(secret.get_secret_value(), sessions), sessions
    provider = Provider(settings.oauth_provider, settings.oauth_client_id or "", secret.get_secret_value())
    return HuggingFace(provider, sessions, key, settings.url, allowed), sessions


def _looks_for_a_page(request: Request) -> bool:
    return (
        request.method in ("GET", "HEAD")
        and not request.url.path.startswith(PROGRAMS)
        and "text/html" in request.headers.get("accept", "")
    )
