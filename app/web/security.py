"""The checks of every request before our code or Gradio's sees it, and the headers of every response.

Pure ASGI, because a middleware that wraps requests and responses would hold back streams. Gradio's own settings give
no protection (its "private" functions answer over HTTP, and it has an upload route even without an upload component),
so this middleware refuses all routes that no page needs.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.addresses import Hosts, refuse_address
from app.web.answers import refuse
from app.web.bodies import MAX_START, Held, replayed, whole_body
from app.web.gradio_internals import is_gone

FIGURE_PAGES = ("/run", "/compare")
TRAINING_PAGE, ENGINE = "/tab", "/static/engine/"
ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""With these headers a page may share memory between threads; the scripts of its workers need the second one, too."""
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


def is_figure(scope: Scope) -> bool:
    """Whether a page is asked for that has one figure and nothing else (static/base/frame.js)."""
    if scope["path"] not in FIGURE_PAGES:
        return False
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    # Each once: of several the browser might take another.
    return query.get("embed") == ["1"] and len(query.get("figure", ())) == 1


def isolation(path: str) -> dict[str, str]:
    """The headers of ISOLATION, where something trains in the browser."""
    return ISOLATION if path == TRAINING_PAGE or path.startswith(ENGINE) else {}


class Rules:
    """The rules for requests, and the headers of responses. `frame_ancestors`: the sites that may show this one in a
    frame, in CSP syntax; `hosts`: the names under which it may be asked; `figures`: any site may show a single figure,
    a page that has no buttons and sends no token."""

    def __init__(
        self,
        frame_ancestors: str,
        public_url: str | None = None,
        hosts: Hosts | None = None,
        *,
        figures: bool = False,
    ) -> None:
        self._hosts = hosts or Hosts(public_url=public_url)
        self._origin = origin_of(public_url) if public_url else None
        self.headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": content_security_policy(frame_ancestors, public_url),
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }
        self._everywhere = {
            **self.headers,
            "Content-Security-Policy": content_security_policy("*" if figures else frame_ancestors, public_url),
        }

    def sending(self, send: Send, scope: Scope | None = None) -> Send:
        """`send` with our headers in every response; `scope`: of the request."""
        headers_of_all = self._everywhere if scope and is_figure(scope) else self.headers
        if scope and (more := isolation(scope["path"])):
            headers_of_all = headers_of_all | more

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in headers_of_all.items():
                    headers[name] = value
            await send(message)

        return send_with_headers

    def refusal(self, scope: Scope) -> JSONResponse | None:
        """The response to a forbidden HTTP request; None if the request is allowed."""
        if problem := refuse_address(scope):
            return problem
        if not self._hosts.knows(Headers(scope=scope).get("host", "")):
            return refuse(
                421,
                "this site does not know this host name; its operator can add it to ONLYBN_HOSTS",
            )
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
    """The outermost middleware. `largest_start`: the most bytes of an uploaded file of tensors."""

    def __init__(self, app: ASGIApp, rules: Rules, largest_start: int = MAX_START) -> None:
        self.app, self.rules, self.held = app, rules, Held(largest_start=largest_start)

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
            body = await whole_body(scope, receive, self.held)
            if isinstance(body, bytes):
                receive = replayed(body, receive)
            else:
                problem = body
        send = self.rules.sending(send, scope)
        if scope["method"] == "HEAD":  # the server knows by its own scope that the body must not be sent
            scope, send = {**scope, "method": "GET"}, head_only(send)
        answer = self.app if problem is None else problem
        await answer(scope, receive, send)


def head_only(send: Send) -> Send:
    """`send` that ends a response with its headers, so that nobody makes the body of an answer to HEAD."""
    ended = False

    async def send_head(message: Message) -> None:
        nonlocal ended
        if ended:
            return
        await send(message)
        if message["type"] == "http.response.start":
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head
