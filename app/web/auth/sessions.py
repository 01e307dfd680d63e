"""Who is signed in: a signed cookie that names the account. Nothing is kept on the server but what was signed out."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import Headers

MARK = "onlybn_signed_in"
"""A cookie without a secret, which scripts may read: the pages then show a link to sign out."""
LONGEST_COOKIE = 4096
MOST_ENDED = 10_000


@dataclass(frozen=True)
class Account:
    """Somebody who is signed in. `name`: what the way of signing in calls them."""

    name: str


class Sessions:
    """Cookies signed with `key`, which hold for `seconds`. `secure`: the site is reached by https."""

    def __init__(self, key: bytes, seconds: int, secure: bool) -> None:
        self.seconds, self.secure = seconds, secure
        self.cookie = "__Host-onlybn" if secure else "onlybn"
        self._signed = signer(key, "session")
        self._ended: dict[str, float] = {}

    def start(self, account: Account) -> list[str]:
        """The values of Set-Cookie that sign `account` in."""
        value = self._signed.dumps({"name": account.name, "id": secrets.token_hex(16)})
        assert isinstance(value, str)
        return [
            set_cookie(self.cookie, value, self.seconds, self.secure),
            set_cookie(MARK, "1", self.seconds, self.secure, for_scripts=True),
        ]

    def account(self, headers: Headers) -> Account | None:
        """The account that the cookies of a request name; None if there is none, or it is over, ended or forged."""
        said = self._said(headers)
        return None if said is None or said["id"] in self._ended else Account(said["name"])

    def end(self, headers: Headers) -> list[str]:
        """The values of Set-Cookie that sign out. A copy of the cookie no longer counts either, until a restart."""
        if said := self._said(headers):
            now = time.time()
            self._ended = {id: until for id, until in self._ended.items() if until > now}
            if len(self._ended) >= MOST_ENDED:
                del self._ended[next(iter(self._ended))]
            self._ended[said["id"]] = now + self.seconds
        return [
            set_cookie(self.cookie, "", 0, self.secure),
            set_cookie(MARK, "", 0, self.secure, for_scripts=True),
        ]

    def _said(self, headers: Headers) -> dict[str, str] | None:
        value = cookie_of(headers, self.cookie)
        try:
            said = self._signed.loads(value, max_age=self.seconds) if value else None
        except BadData:
            return None
        return said if isinstance(said, dict) else None


def signer(key: bytes, use: str) -> URLSafeTimedSerializer:
    """Signs values for one `use`: a value of another use is refused."""
    kinds = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(key, salt=f"onlybn/{use}", signer_kwargs=kinds)


def cookie_of(headers: Headers, name: str) -> str | None:
    """The value of the cookie `name`. None where there is none, or where there are several that differ."""
    found = set()
    for line in headers.getlist("cookie"):
        for part in line[: 4 * LONGEST_COOKIE].split(";"):
            key, _, value = part.strip().partition("=")
            if key == name and 0 < len(value) <= LONGEST_COOKIE:
                found.add(value)
    return found.pop() if len(found) == 1 else None


def set_cookie(name: str, value: str, seconds: int, secure: bool, *, path: str = "/", for_scripts: bool = False) -> str:
    """A value of Set-Cookie: for this site only, and not sent along with requests of other sites' pages."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar[name] = value
    except CookieError as error:
        raise ValueError(f"{name} cannot name a cookie") from error
    morsel = jar[name]
    morsel["path"], morsel["max-age"], morsel["samesite"] = path, str(seconds), "Lax"
    morsel["httponly"], morsel["secure"] = not for_scripts, secure
    return morsel.OutputString()
