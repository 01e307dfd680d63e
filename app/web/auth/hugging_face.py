"""Logging in at Hugging Face: OpenID Connect's code flow with PKCE, for one provider that describes itself.

The access token is used once, to ask for the user's name, and is not kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from itsdangerous import BadData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.web.auth.pages import IN, NO_STORE, provider_page
from app.web.auth.sessions import Account, Sessions, cookie_of, set_cookie, signer
from app.web.auth.ways import local, signed_in, unknown

START, BACK = f"{IN}/start", f"{IN}/callback"
ASKED, ASKED_FOR_S = "onlybn_asked", 600
"""The cookie of a log-in that has begun, and for how long it holds."""
PATIENCE_S = 10.0
LONGEST = 64 * 1024
NEEDED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")

log = logging.getLogger("onlybn")


class ProviderAway(Exception):
    """The provider does not answer, or not as it should."""


class Provider:
    """An OpenID provider at `url`, asked as client `client` with `secret`. `transport`: for tests."""

    def __init__(self, url: str, client: str, secret: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url, self._client, self._secret, self._transport = url.rstrip("/"), client, secret, transport
        self._addresses: dict[str, str] | None = None

    async def log_in_at(self, back: str, state: str, verifier: str) -> str:
        """The address at which a person logs in. Raises ProviderAway."""
        digest = hashlib.sha256(verifier.encode()).digest()
        said = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": back,
            "scope": "openid profile",
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{(await self._endpoints())['authorization_endpoint']}?{urlencode(said)}"

    async def user(self, code: str, back: str, verifier: str) -> dict[str, Any]:
        """What the provider says about the person who came back with `code`. Raises ProviderAway."""
        addresses = await self._endpoints()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        said = await self._ask("POST", addresses["token_endpoint"], data=form, auth=(self._client, self._secret))
        token = said.get("access_token")
        if not isinstance(token, str) or str(said.get("token_type", "")).lower() != "bearer":
            raise ProviderAway("it sent no token")
        return await self._ask("GET", addresses["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})

    async def _endpoints(self) -> dict[str, str]:
        if self._addresses is None:
            said = await self._ask("GET", f"{self._url}/.well-known/openid-configuration")
            found = {name: str(said.get(name, "")) for name in NEEDED}
            scheme = urlsplit(self._url).scheme
            if any(urlsplit(address).scheme != scheme for address in found.values()):
                raise ProviderAway(f"its description lacks one of {', '.join(NEEDED)}")
            self._addresses = found
        return self._addresses

    async def _ask(self, method: str, address: str, **said: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=PATIENCE_S, transport=self._transport, trust_env=True) as client:
                answer = await client.request(method, address, **said)
            answer.raise_for_status()
            content = answer.json() if len(answer.content) <= LONGEST else None
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderAway(type(error).__name__) from error  # the error's text may hold the code
        if not isinstance(content, dict):
            raise ProviderAway("it sent no object")
        return content


class HuggingFace:
    """`allowed`: names of users and organisations, in lower case; empty: everybody with an account there.
    `site`: the address of this site."""

    def __init__(self, provider: Provider, sessions: Sessions, key: bytes, site: str, allowed: frozenset[str]) -> None:
        self._provider, self._sessions, self._allowed = provider, sessions, allowed
        self._back = f"{site}{BACK}"
        self._asked = signer(key, "log-in")

    def account(self, request: Request) -> Account | None:
        return self._sessions.account(request.headers)

    async def answer(self, request: Request, after: str) -> Response | None:
        path = request.url.path
        if request.method == "POST" or path not in (IN, START, BACK):
            return None
        if path == IN:
            framed = request.headers.get("sec-fetch-dest") in ("iframe", "frame")
            return provider_page(after, framed=framed)
        try:
            return await (self._start(after) if path == START else self._come_back(request))
        except ProviderAway as error:
            log.warning("Nobody can sign in: the provider does not respond as expected (%s)", error)
            return provider_page(after, "Hugging Face does not respond right now. Try again in a moment.", 503)

    def refusal(self) -> Response:
        return unknown("sign in first: open /sign-in in a browser")

    async def _start(self, after: str) -> Response:
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        answer = RedirectResponse(await self._provider.log_in_at(self._back, state, verifier), 303, NO_STORE)
        begun = self._asked.dumps({"state": state, "verifier": verifier, "after": after})
        answer.headers.append("Set-Cookie", self._cookie(str(begun), ASKED_FOR_S))
        return answer

    async def _come_back(self, request: Request) -> Response:
        begun, said = self._begun(request), request.query_params
        if begun is None or not hmac.compare_digest(begun["state"].encode(), said.get("state", "").encode()):
            return provider_page(
                "/", "This sign-in did not start in this browser, or took too long. Sign in again.", 400
            )
        if not (code := said.get("code")):
            return self._over(provider_page(begun["after"], "You were not signed in: Hugging Face refused.", 403))
        user = await self._provider.user(code, self._back, begun["verifier"])
        name = user.get("preferred_username")
        if not isinstance(name, str) or not name:
            raise ProviderAway("it named no user")
        if self._allowed and not self._allowed & _names(name, user):
            words = f"The account {name[:100]} has no access to this site. Ask the operator."
            return self._over(provider_page("/", words, 403))
        return self._over(signed_in(self._sessions, Account(name[:100]), local(begun["after"])))

    def _begun(self, request: Request) -> dict[str, str] | None:
        value = cookie_of(request.headers, ASKED)
        try:
            said = self._asked.loads(value, max_age=ASKED_FOR_S) if value else None
        except BadData:
            return None
        return said if isinstance(said, dict) else None

    def _over(self, answer: Response) -> Response:
        """A log-in can come back once."""
        answer.headers.append("Set-Cookie", self._cookie("", 0))
        return answer

    def _cookie(self, value: str, seconds: int) -> str:
        return set_cookie(ASKED, value, seconds, self._sessions.secure, path=IN)


def _names(name: str, user: dict[str, Any]) -> set[str]:
    """The names by which a user may be allowed. An organisation's display name is not one: anybody can choose it."""
    orgs = user.get("orgs")
    found = [one.get("preferred_username") for one in orgs if isinstance(one, dict)] if isinstance(orgs, list) else []
    return {one.casefold() for one in (name, *found) if isinstance(one, str)}
