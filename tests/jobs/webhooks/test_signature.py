"""The signature is the one that standardwebhooks.com describes."""

from __future__ import annotations

import base64

from jobs.webhooks.signature import headers, secret_of


def test_the_example_of_the_standard() -> None:
    """Source: the reference libraries' tests, github.com/standard-webhooks/standard-webhooks."""
    said = headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert said == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_run_of_each_installation_has_a_secret_of_its_own() -> None:
    secrets = {secret_of(key, about) for key in (b"one", b"two") for about in ("run", "study")}
    assert len(secrets) == 4
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in secrets)
    assert secret_of(b"one", "run") == secret_of(b"one", "run")
