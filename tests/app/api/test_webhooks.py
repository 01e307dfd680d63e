"""Webhooks over HTTP: what may be asked for, who sees the address, and that nothing public has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from jobs.store.store import Store
from jobs.webhooks.signature import secret_of
from tests.app.conftest import HERE

SPEC = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1, "name": "Ada 1"}
SECRET_PART = "t0ld-9f3k"
URL = f"https://hooks.example.org/{SECRET_PART}"
ADA = {"X-Visitor-Token": "a" * 20}


def launch(client: TestClient, url: str = URL) -> dict[str, str]:
    launched = client.post("/api/runs", json=SPEC, headers={**ADA, "X-Webhook": url})
    assert launched.status_code == 201, launched.text
    answer: dict[str, str] = launched.json()
    return answer


def test_from_the_launch_to_the_message(client: TestClient, store: Store, settings: Settings) -> None:
    run = launch(client)
    path, mine = f"/api/runs/{run['id']}/webhook", {"X-Owner-Token": run["owner_token"]}
    assert run["webhook_secret"] == secret_of(settings.signing_key(), run["id"])
    seen = client.get(path, headers=mine).json()
    assert (seen["url"], seen["host"], seen["state"]) == (URL, "hooks.example.org", "waiting")
    assert seen["secret"] == run["webhook_secret"]
    assert client.post(f"{path}/send", headers=mine).status_code == 409
    client.post(f"/api/runs/{run['id']}/cancel", headers=mine)
    store.outbox.note()
    (message,) = store.outbox.take(1)
    assert f'"url": "{HERE}/run?id={run["id"]}"' in message.body
    store.outbox.failed(message, "hooks.example.org did not answer")
    seen = client.get(path, headers=mine).json()
    assert (seen["state"], seen["attempts"], seen["problem"]) == ("retrying", 1, "hooks.example.org did not answer")
    assert seen["next_at"] is not None
    assert client.post(f"{path}/send", headers=mine).json()["state"] == "sending"
    assert client.delete(path, headers=mine).status_code == 204
    assert client.get(path, headers=mine).json() is None
    assert (
        client.delete(path, headers=mine).status_code == client.post(f"{path}/again", headers=mine).status_code == 404
    )


def test_only_the_owner_sees_the_address(client: TestClient, store: Store) -> None:
    run, other = launch(client), launch(client)
    path = f"/api/runs/{run['id']}"
    for headers in ({}, ADA, {"X-Owner-Token": other["owner_token"]}, {"X-Owner-Token": "x"}):
        for method, address in (("GET", "webhook"), ("POST", "webhook/send"), ("DELETE", "webhook")):
            refused = client.request(method, f"{path}/{address}", headers=headers)
            assert refused.status_code == 403 and SECRET_PART not in refused.text
    client.post(f"{path}/cancel", headers={"X-Owner-Token": run["owner_token"]})
    store.outbox.note()
    question = {"runs": [{"id": run["id"], "log": True, "snapshots": True, "speeds": True}]}
    public = [
        client.get(address)
        for address in (
            path,
            "/api/runs",
            f"/api/runs?text={SECRET_PART}",
            f"{path}/log",
            f"{path}/report",
            f"/api/compare?runs={run['id']}",
            "/api/share",
            "/healthz",
        )
    ]
    public.append(client.post("/api/feed", json=question))
    assert public[0].status_code == 200
    for said in public:
        assert SECRET_PART not in said.text and "hooks.example.org" not in said.text, said.url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/", "must begin with https://"),
        ("https://127.0.0.1/", "must be on the Internet"),
        ("https://2130706433/", "must have a name"),
        ("https://0x7f.1/", "must have a name"),
        ("https://0177.0.0.1/", "must have a name"),
        ("https://[::ffff:127.0.0.1]/", "must be on the Internet"),
        ("https://localhost./", "must have a name"),
        ("https://169.254.169.254/", "must be on the Internet"),
        ("https://a:b@example.org/", "must not have a user name"),
        ("https://example.org:22/", "must be 443 or 8443"),
        (f"https://example.org/{'a' * 600}", "1 to 500 characters"),
    ],
)
def test_what_may_not_be_told_is_refused_before_anything_is_queued(
    client: TestClient, store: Store, url: str, why: str
) -> None:
    for path, body in (("/api/runs", SPEC), ("/api/studies", {"name": "depth"})):
        refused = client.post(path, json=body, headers={"X-Webhook": url})
        assert refused.status_code == 422 and why in refused.json()["detail"]
        assert refused.json()["detail"].startswith("webhook: ")
    assert store.runs.find()[1] == 0


def test_a_launch_without_an_address_has_no_webhook(client: TestClient) -> None:
    for headers in ({}, {"X-Webhook": ""}):
        run = client.post("/api/runs", json=SPEC, headers=headers).json()
        assert run["webhook_secret"] is None
        mine = {"X-Owner-Token": run["owner_token"]}
        assert client.get(f"/api/runs/{run['id']}/webhook", headers=mine).json() is None


def test_a_repeated_launch_has_the_same_secret(client: TestClient) -> None:
    headers = {"X-Webhook": URL, "Idempotency-Key": "k" * 20}
    first, second = (client.post("/api/runs", json=SPEC, headers=headers).json() for _ in range(2))
    assert first == second and first["webhook_secret"].startswith("whsec_")


def test_a_study_is_told_as_one(client: TestClient, store: Store) -> None:
    asked = {"name": "depth", "scale": "minutes"}
    study = client.post("/api/studies", json=asked, headers={**ADA, "X-Webhook": URL}).json()
    path, mine = f"/api/studies/{study['id']}/webhook", {"X-Owner-Token": study["owner_token"]}
    assert client.get(path, headers=mine).json()["secret"] == study["webhook_secret"]
    assert client.get(path).status_code == 403
    assert SECRET_PART not in client.get(f"/api/studies/{study['id']}").text + client.get("/api/studies").text
    client.post(f"/api/studies/{study['id']}/cancel", headers=mine)
    assert store.outbox.note() == 1
    (message,) = store.outbox.take(8)
    assert message.about == study["id"] and f'"url": "{HERE}/paper?study={study["id"]}"' in message.body
    store.outbox.delivered(message)
    assert client.get(path, headers=mine).json()["state"] == "delivered"
    assert client.post(f"{path}/send", headers=mine).json()["state"] == "sending"
    assert client.delete(path, headers=mine).status_code == 204


@pytest.fixture
def without(store: Store) -> Iterator[TestClient]:
    """A server of the demo profile, which sends none."""
    settings = Settings(profile="demo")
    with TestClient(make_app(settings, store, str, dict), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def test_strangers_have_none_unless_the_operator_allows_them(without: TestClient) -> None:
    assert without.get("/api/share").json()["webhooks"] == "off"
    refused = without.post("/api/runs", json=SPEC, headers={"X-Webhook": URL})
    assert refused.status_code == 422 and "ONLYBN_WEBHOOKS=off" in refused.json()["detail"]
    assert Settings(profile="demo", webhooks="public").webhooks == "public"
