"""The pages of signing in and out. They work without scripts, and load nothing but the site's style."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from starlette.responses import HTMLResponse

from app.web.assets import JOINED

IN, OUT = "/sign-in", "/sign-out"
NO_STORE = {"Cache-Control": "no-store"}
STYLE = (
    ".sign-in{max-width:26rem;margin:12vh auto 0;display:grid;gap:1rem}"
    ".sign-in form{display:grid;gap:.75rem}.sign-in label{display:grid;gap:.25rem}"
    ".sign-in input{font:inherit;padding:.5rem .6rem;border:1px solid currentColor;border-radius:6px;"
    "background:Canvas;color:CanvasText}.sign-in .button{justify-content:center;font:inherit}"
    ".sign-in [role=alert]{margin:0}"
)


def password_page(after: str, problem: str | None = None, status: int = 200, framed: bool = False) -> HTMLResponse:
    """The page with a field for the password; `after`: the address to go to then."""
    if framed:
        return _page("Sign in", _apart(after), status)
    body = (
        f'<form method="post" action="{IN}">{_alert(problem)}'
        f'<input type="hidden" name="next" value="{escape(after)}">'
        '<label>Password<input type="password" name="password" autocomplete="current-password" required autofocus>'
        '</label><button class="button primary" type="submit">Sign in</button></form>'
        "<p>The operator of this server knows the password.</p>"
    )
    return _page("Sign in", body, status)


def provider_page(after: str, problem: str | None = None, status: int = 200, framed: bool = False) -> HTMLResponse:
    """The page with a link to the log-in of Hugging Face."""
    if framed:
        return _page("Sign in", _apart(after), status)
    start = f"{IN}/start?next={quote(after, safe='/')}"
    body = (
        f'{_alert(problem)}<a class="button primary" href="{escape(start)}">Sign in with Hugging Face</a>'
        "<p>Hugging Face tells this site your user name and your organisations, and nothing else.</p>"
    )
    return _page("Sign in", body, status)


def out_page(name: str | None) -> HTMLResponse:
    """The page with the button that signs `name` out; without a name, that nobody is signed in."""
    if name is None:
        return _page("Signed out", f'<p>You are signed out.</p><a class="button primary" href="{IN}">Sign in</a>')
    body = (
        f"<p>You are signed in{f' as {escape(name)}' if name else ''}.</p>"
        f'<form method="post" action="{OUT}"><button class="button primary" type="submit">Sign out</button></form>'
        '<a class="button" href="/">Back to the site</a>'
    )
    return _page("Sign out", body)


def _apart(after: str) -> str:
    """In a frame of another site a browser sends no cookie, so nobody can sign in there."""
    return (
        "<p>Signing in needs a tab of its own, because this page is inside a frame of another site.</p>"
        f'<a class="button primary" target="_blank" rel="noopener" href="{escape(after)}">Open this site in a tab</a>'
    )


def _alert(problem: str | None) -> str:
    return f'<p role="alert"><strong>{escape(problem)}</strong></p>' if problem else ""


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f'<link rel="icon" href="/static/favicon.svg"><link rel="stylesheet" href="/static/{JOINED}">'
        f"<style>{STYLE}</style><title>{title} · OnlyBN</title></head>"
        f'<body class="plain panel-host"><main class="plain-main"><section class="sign-in"><h1>{title}</h1>{body}'
        "</section></main></body></html>\n"
    )
    return HTMLResponse(html, status, NO_STORE)
