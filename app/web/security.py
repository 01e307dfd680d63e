"""The checks of every request before our code or Gradio's sees it, and the headers of every response.

Pure ASGI, because a middleware that wraps requests and responses would hold back streams. Gradio's own settings give
no protection (its "private" functions answer over HTTP, and it has an upload route even without an upload component),
so this middleware refuses all routes that no page needs.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.answers import refuse
from app.web.gradio_internals import is_gone

MAX_BODY = 256 * 1024
MAX_START = 8 << 20
LARGER = {"/api/starts": MAX_START}
"""Addresses that accept larger bodies: files of tensors, which are validated before any use."""
BODY_WITHIN_S = 20.0
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

UNTRUSTED_HEADERS = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-gradio-server",
        b"x-original-host",
        b"x-original-url",
        b"x-real-ip",
    }
)
"""Any client can send these headers, and Gradio builds addresses from some. ONLYBN_PUBLIC_URL has the real address."""


def content_security_policy(frame_ancestors: str, public_url: str | None = None) -> str:
    """The policy of every response: this host only. Gradio's page needs inline scripts, styles and `new Function`."""
    origin = f" {origin_of(public_url)}" if public_url else ""
    return "; ".join(
        (
            f"default-src 'self'{origin}",
            f"script-src 'self' 'unsafe-inline' 'unsafe-eval'{origin}",
            f"style-src 'self' 'unsafe-inline'{origin}",
            f"img-src 'self' data: blob:{origin}",
            f"font-src 'self' data:{origin}",
            f"connect-src 'self'{origin}",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


def origin_of(url: str) -> str:
    """Scheme, host and port of `url`, as a browser names an origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


class Rules:
    """The rules for requests, and the headers of responses. `frame_ancestors`: the sites that may show this one in a
    frame, in CSP syntax."""

    def __init__(self, frame_ancestors: str, public_url: str | None = None) -> None:
        self._origin = origin_of(public_url) if public_url else None
        self.headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": content_security_policy(frame_ancestors, public_url),
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }

    def sending(self, send: Send) -> Send:
        """`send` with our headers in every response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
            await send(message)

        return send_with_headers

    def refusal(self, scope: Scope) -> JSONResponse | None:
        """The response to a forbidden HTTP request; None if the request is allowed."""
        if is_gone(scope["path"]):
            return refuse(404, "there is nothing at this address")
        if scope["method"] in UNSAFE and not self._same_site(Headers(scope=scope)):
            return refuse(
                403,
                "requests from pages of other web sites are refused; "
                "if this is the site's own page behind a proxy, set ONLYBN_PUBLIC_URL to its address",
            )
        return None

    def _same_site(self, headers: Headers) -> bool:
        """Whether a request comes from our own pages. Browsers send the page's origin with every request that changes
        something; other programs send none, and are allowed."""
        origin = headers.get("origin")
        if origin is None:
            return True
        return origin.lower() == self._origin or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


class Security:
    """The outermost middleware."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # we have no web sockets
            await send({"type": "websocket.close", "code": 1000})
            return
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in UNTRUSTED_HEADERS]

        problem = self.rules.refusal(scope)
        if problem is None and scope["method"] in UNSAFE:
            body = await whole_body(scope, receive)
            if isinstance(body, bytes):
                receive = replayed(body, receive)
            else:
                problem = body
        answer = self.app if problem is None else problem
        await answer(scope, receive, self.rules.sending(send))


async def whole_body(scope: Scope, receive: Receive) -> bytes | JSONResponse:
    """The body of the request, or an error response if it is too large or too slow."""
    limit = LARGER.get(scope["path"], MAX_BODY)
    too_large = f"the body is larger than {limit // 1024} KB"
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        return refuse(413, too_large)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return refuse(400, "the connection ended within the body")
                body += message.get("body", b"")
                if len(body) > limit:
                    return refuse(413, too_large)
                more = message.get("more_body", False)
    except TimeoutError:
        return refuse(408, f"the body did not arrive within {BODY_WITHIN_S:g} s")
    return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the whole `body` first."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return first.pop() if first else await receive()

    return receive_again
