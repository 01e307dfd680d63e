"""The secret of a webhook, and the headers that prove who sent a message, as standardwebhooks.com describes them."""

from __future__ import annotations

import base64
import hmac

PREFIX = "whsec_"


def secret_of(key: bytes, about: str) -> str:
    """The secret of the webhook of a run or study with the id `about`; `key` is this installation's.

    It follows from the two, so no database and no backup holds it.
    """
    return PREFIX + base64.b64encode(hmac.digest(key, f"onlybn/webhook/{about}".encode(), "sha256")).decode()


def headers(secret: str, message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a message with the id `message`, sent at `timestamp` (Unix seconds)."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{message}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
