"""Who may enter: nothing behind the gate answers a stranger, and what lets one in cannot be forged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from app.web.auth.sessions import Account, Sessions
from app.web.auth.tries import TRIES, Tries
from app.web.auth.ways import local
from jobs.settings import explain
from jobs.store.store import Store
from tests.app.conftest import HERE, SPEC, Clock

PASSWORD = "correct horse battery"
BROWSER = {"Accept": "text/html,*/*;q=0.8"}
Visit = Callable[..., TestClient]


@pytest.fixture
def visit(store: Store) -> Iterator[Visit]:
    """A visitor's client for the site with some settings; `peer`: the address that it comes from."""
    open_clients: list[TestClient] = []

    def visit(peer: str = "192.0.2.7", site: str = HERE, **fields: Any) -> TestClient:
        app = make_app(Settings(**fields), store, lambda run_id: None, lambda: {"policies": []})
        client = TestClient(app, base_url=site, client=(peer, 5000), follow_redirects=False)
        client.__enter__()
        open_clients.append(client)
        return client

    yield visit
    for client in open_clients:
        client.__exit__(None, None, None)


@pytest.fixture
def guarded(visit: Visit) -> TestClient:
    return visit(auth="password", auth_password=SecretStr(PASSWORD))


def sign_in(client: TestClient, password: str = PASSWORD, after: str = "/runs") -> Any:
    return client.post("/sign-in", data={"password": password, "next": after})


def everything(client: TestClient) -> list[tuple[str, str]]:
    """Every method and address of the API, as its description has them, and some more."""
    described = client.app.openapi()["paths"]  # type: ignore[attr-defined]
    known = [
        (method.upper(), path.replace("{", "").replace("}", "")) for path, of in described.items() for method in of
    ]
    more = (
        "/",
        "/runs",
        "/run?id=x",
        "/api/docs",
        "/api/openapi.json",
        "/static/pages/run/run.js",
        "/nowhere",
    )
    return [one for one in known if one[1] not in ("/healthz", "/readyz", "/metrics")] + [
        ("GET", path) for path in more
    ]


def test_nothing_answers_a_stranger(guarded: TestClient) -> None:
    asked = everything(guarded)
    assert len(asked) > 40
    for method, path in asked:
        answer = guarded.request(method, path, json=SPEC if method == "POST" else None)
        assert answer.status_code == 401, (method, path)
        assert "sign in first" in answer.json()["detail"]
        assert "basic" not in answer.headers["www-authenticate"].lower()  # browsers would open a window
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert guarded.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "path", ["//api/runs", "/API/runs", "/healthz/", "/healthz/../api/runs", "/sign-in/../api/runs"]
)
def test_other_spellings_do_not_pass_either(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code in (401, 404)
    assert "runs" not in guarded.get(path).json()


def test_a_browser_is_led_to_the_page_and_back(guarded: TestClient) -> None:
    led = guarded.get("/run?id=abc&x=1", headers=BROWSER)
    assert led.status_code == 303 and led.headers["location"] == "/sign-in?next=/run%3Fid%3Dabc%26x%3D1"
    page = guarded.get(led.headers["location"], headers=BROWSER)
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    assert '<form method="post" action="/sign-in">' in page.text and 'value="/run?id=abc&amp;x=1"' in page.text
    assert "<script" not in page.text
    entered = sign_in(guarded, after="/run?id=abc&x=1")
    assert entered.status_code == 303 and entered.headers["location"] == "/run?id=abc&x=1"
    assert guarded.get("/api/runs").status_code == 200
    assert guarded.post("/api/feed", json={"runs": {}, "layer": None}).status_code == 200


def test_cookies_are_for_this_site_only(visit: Visit) -> None:
    plain = visit(auth="password", auth_password=SecretStr(PASSWORD))
    secure = visit(
        site="https://bn.example.org",
        auth="password",
        auth_password=SecretStr(PASSWORD),
        public_url="https://bn.example.org",
    )
    for client, name, is_secure in ((plain, "onlybn", False), (secure, "__Host-onlybn", True)):
        session, mark = sign_in(client).headers.get_list("set-cookie")
        assert session.startswith(f"{name}=") and "HttpOnly" in session and "SameSite=Lax" in session
        assert ("Secure" in session) is is_secure and "Path=/" in session and "Domain" not in session
        assert mark.startswith("onlybn_signed_in=1;") and "HttpOnly" not in mark
        assert client.get("/api/runs").status_code == 200


@pytest.mark.parametrize("wrong", ["", "correct horse", PASSWORD + " ", PASSWORD.upper(), "Ωmega" * 50, "\0"])
def test_a_wrong_password_opens_nothing(guarded: TestClient, wrong: str) -> None:
    answer = sign_in(guarded, wrong)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert '<p role="alert"><strong>Wrong password.' in answer.text
    assert guarded.get("/api/runs").status_code == 401


def test_guessing_is_slowed_down_also_over_basic(guarded: TestClient) -> None:
    for number in range(TRIES):
        if number % 2:
            assert sign_in(guarded, f"wrong {number}").status_code == 401
        else:
            assert guarded.get("/api/runs", auth=("", f"wrong {number}")).status_code == 401
    answer = sign_in(guarded)
    assert answer.status_code == 429 and answer.headers["retry-after"] == "60"
    assert guarded.get("/api/runs", auth=("", PASSWORD)).status_code == 401


def test_tries_are_counted_by_address_and_forgotten(clock: Clock) -> None:
    tries = Tries(clock)
    for number in range(TRIES):
        tries.wrong(f"2001:db8::{number:x}")  # one household
    assert tries.too_many("2001:db8::ffff") and not tries.too_many("2001:db8:1::1") and not tries.too_many("192.0.2.1")
    clock.seconds += 61
    assert not tries.too_many("2001:db8::1")


def test_programs_send_the_password(guarded: TestClient) -> None:
    assert guarded.get("/api/runs", auth=("anybody", PASSWORD)).status_code == 200
    assert guarded.get("/api/runs", auth=("anybody", PASSWORD[:-1])).status_code == 401
    for header in ("Basic", "Basic ???", "Basic " + "A" * 9000, f"Bearer {PASSWORD}"):
        assert guarded.get("/api/runs", headers={"Authorization": header}).status_code == 401


def test_signing_out_ends_copies_of_the_cookie_too(guarded: TestClient) -> None:
    sign_in(guarded)
    copy = guarded.cookies["onlybn"]
    assert "Sign out</button>" in guarded.get("/sign-out", headers=BROWSER).text
    assert guarded.get("/api/runs").status_code == 200  # looking at the page signs nobody out
    answer = guarded.post("/sign-out")
    assert answer.status_code == 303 and "onlybn" not in guarded.cookies
    assert "You are signed out." in guarded.get("/sign-out", headers=BROWSER).text
    assert guarded.get("/api/runs", headers={"Cookie": f"onlybn={copy}"}).status_code == 401


def test_other_sites_can_sign_nobody_in_or_out(guarded: TestClient) -> None:
    for path in ("/sign-in", "/sign-out"):
        answer = guarded.post(path, data={"password": PASSWORD}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_cookies_cannot_be_forged(guarded: TestClient) -> None:
    sign_in(guarded)
    real = guarded.cookies["onlybn"]
    guarded.cookies.clear()
    other = Sessions(b"another key", 3600, False).start(Account("root"))[0].partition(";")[0]
    changed = real[:-2] + ("A" if real[-2] != "A" else "B") + real[-1]
    for cookie in (
        other,
        f"onlybn={changed}",
        "onlybn=",
        "onlybn=a.b.c",
        f"onlybn={real}; onlybn=x",
        "onlybn=" + "A" * 9000,
    ):
        assert guarded.get("/api/runs", headers={"Cookie": cookie}).status_code == 401, cookie
    assert guarded.get("/api/runs", headers={"Cookie": f"onlybn={real}"}).status_code == 200


def test_a_session_ends_with_its_time_and_with_the_password(visit: Visit) -> None:
    assert Sessions(b"key", -1, False).account(_cookies(Sessions(b"key", 3600, False))) is None
    first = visit(auth="password", auth_password=SecretStr(PASSWORD))
    sign_in(first)
    later = visit(auth="password", auth_password=SecretStr("another password"))
    later.cookies = first.cookies
    assert later.get("/api/runs").status_code == 401


def _cookies(sessions: Sessions) -> Any:
    from starlette.datastructures import Headers

    return Headers({"cookie": sessions.start(Account("a"))[0].partition(";")[0]})


@pytest.mark.parametrize(
    ("given", "led"),
    [
        ("/runs?x=1#y", "/runs?x=1#y"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-in?next=/sign-in", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_led_to_another_site(guarded: TestClient, given: str, led: str) -> None:
    assert local(given) == led
    assert sign_in(guarded, after=given).headers["location"] == led


def test_in_a_frame_one_is_led_to_a_tab(guarded: TestClient) -> None:
    page = guarded.get("/sign-in?next=/runs", headers={**BROWSER, "Sec-Fetch-Dest": "iframe"})
    assert "<form" not in page.text and 'target="_blank"' in page.text and 'href="/runs"' in page.text


def test_a_long_form_is_refused(guarded: TestClient) -> None:
    assert sign_in(guarded, "x" * 5000).status_code == 413
    assert guarded.request("PUT", "/sign-in").status_code == 405
    assert guarded.get("/sign-in/start").status_code == 404


PROXIED: dict[str, Any] = {"auth": "proxy", "trusted_proxies": "10.0.0.0/8, 2001:db8::1", "auth_header": "Remote-User"}


def test_the_word_of_a_trusted_proxy_counts(visit: Visit) -> None:
    for peer in ("10.1.2.3", "2001:db8::1"):
        client = visit(peer, **PROXIED)
        assert client.get("/api/runs", headers={"Remote-User": "ada"}).status_code == 200
        for headers in ({}, {"Remote-User": ""}, {"X-Forwarded-User": "ada"}):
            answer = client.get("/api/runs", headers=headers)
            assert answer.status_code == 403 and "sign in through the proxy" in answer.json()["detail"]
        assert client.get("/", headers=BROWSER).status_code == 403
        twice = [("Remote-User", "mallory"), ("Remote-User", "ada")]
        assert client.get("/api/runs", headers=twice).status_code == 403  # type: ignore[arg-type]
        assert client.get("/sign-in").status_code == client.get("/sign-in/callback").status_code == 404


@pytest.mark.parametrize("peer", ["192.0.2.7", "127.0.0.1", "2001:db8::2", "testclient"])
def test_nobody_else_can_name_a_user(visit: Visit, peer: str) -> None:
    lies = {"Remote-User": "ada", "X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
    assert visit(peer, **PROXIED).get("/api/runs", headers=lies).status_code == 403


def test_only_some_users_of_the_proxy_may_enter(visit: Visit) -> None:
    client = visit("10.0.0.1", **PROXIED, auth_users="Ada, grace")
    assert client.get("/api/runs", headers={"Remote-User": "ada"}).status_code == 200
    assert client.get("/api/runs", headers={"Remote-User": "mallory"}).status_code == 403


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"AUTH": "password"}, "ONLYBN_AUTH: password needs ONLYBN_AUTH_PASSWORD"),
        ({"AUTH": "proxy"}, "proxy needs ONLYBN_TRUSTED_PROXIES"),
        ({"AUTH": "huggingface"}, "huggingface needs ONLYBN_OAUTH_CLIENT_ID and ONLYBN_OAUTH_CLIENT_SECRET"),
        ({"AUTH": "basic"}, "ONLYBN_AUTH: "),
        ({"AUTH_PASSWORD": "hunter2"}, "ONLYBN_AUTH_PASSWORD: "),
        ({"TRUSTED_PROXIES": "10.0.0.0/99"}, "must be addresses or networks such as 10.0.0.0/8"),
    ],
)
def test_a_gate_without_a_lock_does_not_start(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], words: str
) -> None:
    for name, value in fields.items():
        monkeypatch.setenv(f"ONLYBN_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert words in explain(caught.value) and "hunter2" not in explain(caught.value)


def test_without_the_setting_all_is_open(client: TestClient) -> None:
    assert client.get("/api/runs").status_code == 200
    assert client.get("/sign-in").status_code == 404
