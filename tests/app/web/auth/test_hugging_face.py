"""Logging in at Hugging Face, with a provider of our own in its place that checks what it is sent."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from app.web.auth import gate
from app.web.auth.hugging_face import Provider
from jobs.store.store import Store

SITE = "https://someone-onlybn.hf.space"
CLIENT, SECRET = "client-7", "the secret of the app"


class Hub(httpx.AsyncBaseTransport):
    """What huggingface.co answers. `user`: who logs in; `broken`: the address that does not answer."""

    def __init__(self) -> None:
        self.user: dict[str, Any] = {"sub": "1", "preferred_username": "Ada", "orgs": []}
        self.broken = ""
        self.challenge = ""
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if path == self.broken:
            return httpx.Response(500, text="<html>")
        if path == "/.well-known/openid-configuration":
            names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            return httpx.Response(
                200, json={f"{k}_endpoint": f"https://huggingface.co/oauth/{v}" for k, v in names.items()}
            )
        if path == "/oauth/token":
            form = {key: values[0] for key, values in parse_qs((await request.aread()).decode()).items()}
            basic = base64.b64decode(request.headers["authorization"].split(" ")[1]).decode()
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            right = (
                basic == f"{CLIENT}:{SECRET}"
                and form["code"] == "good"
                and form["grant_type"] == "authorization_code"
                and form["redirect_uri"] == f"{SITE}/sign-in/callback"
                and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge
            )
            return (
                httpx.Response(200, json={"access_token": "t", "token_type": "bearer"})
                if right
                else httpx.Response(400)
            )
        assert path == "/oauth/userinfo" and request.headers["authorization"] == "Bearer t"
        return httpx.Response(200, json=self.user)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()
    monkeypatch.setattr(gate, "Provider", lambda url, client, secret: Provider(url, client, secret, hub))
    return hub


@pytest.fixture
def site(hub: Hub, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("SPACE_HOST", "someone-onlybn.hf.space")
    monkeypatch.setenv("OAUTH_CLIENT_ID", CLIENT)
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", SECRET)
    settings = Settings(auth="huggingface", auth_users="ada, frankle-lab")
    assert settings.public_url == SITE and settings.oauth_client_secret == SecretStr(SECRET)
    app = make_app(settings, store, lambda run_id: None, dict)
    with TestClient(app, base_url=SITE, follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


def begin(site: TestClient, hub: Hub) -> str:
    """Go to the provider; the state that it is to send back."""
    led = site.get("/sign-in/start?next=/runs")
    assert led.status_code == 303
    address = urlsplit(led.headers["location"])
    said = {key: values[0] for key, values in parse_qs(address.query).items()}
    assert (address.scheme, address.netloc, address.path) == ("https", "huggingface.co", "/oauth/authorize")
    assert said["client_id"] == CLIENT and said["redirect_uri"] == f"{SITE}/sign-in/callback"
    assert said["response_type"] == "code" and said["scope"] == "openid profile"
    assert said["code_challenge_method"] == "S256" and SECRET not in led.headers["location"]
    cookie = led.headers["set-cookie"]
    assert "HttpOnly" in cookie and "Secure" in cookie and "Path=/sign-in" in cookie and "SameSite=Lax" in cookie
    hub.challenge = said["code_challenge"]
    return said["state"]


def test_who_logs_in_there_is_signed_in_here(site: TestClient, hub: Hub) -> None:
    assert site.get("/api/runs").status_code == 401
    page = site.get("/sign-in?next=/runs", headers={"Accept": "text/html"})
    assert 'href="/sign-in/start?next=/runs"' in page.text
    state = begin(site, hub)
    back = site.get(f"/sign-in/callback?code=good&state={state}")
    assert back.status_code == 303 and back.headers["location"] == "/runs"
    assert site.get("/api/runs").status_code == 200
    assert "signed in as Ada" in site.get("/sign-out", headers={"Accept": "text/html"}).text
    assert site.get(f"/sign-in/callback?code=good&state={state}").status_code == 400  # once only


@pytest.mark.parametrize("state", ["", "wrong", "%00", "%CE%A9"])
def test_a_log_in_that_began_elsewhere_counts_for_nothing(site: TestClient, hub: Hub, state: str) -> None:
    begin(site, hub)
    asked = len(hub.asked)
    answer = site.get(f"/sign-in/callback?code=good&state={state}")
    assert answer.status_code == 400 and len(hub.asked) == asked
    assert site.get("/api/runs").status_code == 401


def test_without_the_cookie_of_the_beginning_it_counts_for_nothing(site: TestClient, hub: Hub) -> None:
    state = begin(site, hub)
    site.cookies.clear()
    assert site.get(f"/sign-in/callback?code=good&state={state}").status_code == 400


def test_who_says_no_there_is_told_so(site: TestClient, hub: Hub) -> None:
    state = begin(site, hub)
    answer = site.get(f"/sign-in/callback?error=access_denied&state={state}")
    assert answer.status_code == 403 and "Hugging Face refused" in answer.text


@pytest.mark.parametrize(
    ("user", "status"),
    [
        ({"preferred_username": "ADA"}, 303),
        ({"preferred_username": "x", "orgs": [{"preferred_username": "Frankle-Lab", "name": "y"}]}, 303),
        ({"preferred_username": "mallory", "orgs": [{"preferred_username": "evil", "name": "frankle-lab"}]}, 403),
        ({"preferred_username": "mallory", "name": "ada", "orgs": None}, 403),
        ({"preferred_username": "<b>x</b>", "orgs": "frankle-lab"}, 403),
        ({"name": "ada"}, 503),
        ({"preferred_username": ["ada"]}, 503),
    ],
)
def test_only_those_who_may(site: TestClient, hub: Hub, user: dict[str, Any], status: int) -> None:
    state = begin(site, hub)
    hub.user = user
    answer = site.get(f"/sign-in/callback?code=good&state={state}")
    assert answer.status_code == status and "<b>" not in answer.text
    assert site.get("/api/runs").status_code == (200 if status == 303 else 401)


@pytest.mark.parametrize("broken", ["/oauth/token", "/oauth/userinfo"])
def test_a_provider_that_fails_lets_nobody_in(
    site: TestClient, hub: Hub, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    state = begin(site, hub)
    hub.broken = broken
    answer = site.get(f"/sign-in/callback?code=good&state={state}")
    assert answer.status_code == 503 and "Try again in a moment" in answer.text
    assert site.get("/api/runs").status_code == 401
    assert "good" not in caplog.text and SECRET not in caplog.text


def test_a_wrong_code_lets_nobody_in(site: TestClient, hub: Hub) -> None:
    state = begin(site, hub)
    assert site.get(f"/sign-in/callback?code=bad&state={state}").status_code == 503
    assert site.get("/api/runs").status_code == 401


def test_a_provider_that_is_away_at_first_is_asked_again(site: TestClient, hub: Hub) -> None:
    hub.broken = "/.well-known/openid-configuration"
    assert site.get("/sign-in/start").status_code == 503
    hub.broken = ""
    begin(site, hub)
