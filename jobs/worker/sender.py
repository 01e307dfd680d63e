"""Tells webhooks that runs and studies have ended, in a thread of one worker.

A worker does it, since every installation that trains has one, since it may wait for strangers' servers without a
visitor's waiting for it, and since what it sends ended here. The trainer never sees an address. Several workers share
the messages by leases; one with ONLYBN_WEBHOOKS=off leaves them to the others.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio

from jobs.settings import WorkerSettings
from jobs.store.store import Store
from jobs.store.webhooks.outbox import Message
from jobs.webhooks.address import BadAddress, check, host_of
from jobs.webhooks.post import LIMIT_S, Undelivered, post
from jobs.webhooks.signature import headers, secret_of

LOOK_EVERY_S = 2.0
TOGETHER = 8
"""Messages under way at once, each to another visitor's address."""

logger = logging.getLogger("onlybn.sender")


@dataclass(eq=False)
class Sender:
    """Sends until `stopping` is set. `trust`: which certificates are believed; None: those of the system."""

    store: Store
    settings: WorkerSettings
    stopping: threading.Event
    look_every_s: float = LOOK_EVERY_S
    trust: ssl.SSLContext | None = None
    now: Callable[[], float] = time.time
    thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless nothing may be sent from here."""
        if self.settings.webhooks != "off":
            self.thread = threading.Thread(target=self._serve, name="sender", daemon=True)
            self.thread.start()

    def join(self) -> None:
        """Wait for what is under way. What is not done then comes back when its lease is over."""
        if self.thread is not None:
            self.thread.join(LIMIT_S + 1)

    def _serve(self) -> None:
        key = self.settings.signing_key()
        while not self.stopping.wait(self.look_every_s):
            try:
                while self.send(key) and not self.stopping.is_set():
                    pass
            except Exception as error:  # the database is away: what was taken comes back
                logger.warning("Webhooks could not be served, will try again: %s", error)

    def send(self, key: bytes | None = None) -> int:
        """Note what has ended, and make one attempt for what is due. Returns for how many messages."""
        self.store.outbox.note()
        messages = self.store.outbox.take(TOGETHER)
        if messages:
            anyio.run(self._send_all, messages, key or self.settings.signing_key())
        return len(messages)

    async def _send_all(self, messages: list[Message], key: bytes) -> None:
        async with anyio.create_task_group() as group:
            for message in messages:
                group.start_soon(self._send, message, key)

    async def _send(self, message: Message, key: bytes) -> None:
        outbox, body = self.store.outbox, message.body.encode()
        said = headers(secret_of(key, message.about), message.id, int(self.now()), body)
        try:
            await self._post(message.url, body, said)
        except Undelivered as error:
            logger.info("Webhook of %s, attempt %d: not delivered", message.about, message.attempt)
            settle = partial(outbox.failed, message, str(error), gone=error.gone)
        else:
            logger.info("Webhook of %s, attempt %d: delivered", message.about, message.attempt)
            settle = partial(outbox.delivered, message)
        await anyio.to_thread.run_sync(settle)

    async def _post(self, url: str, body: bytes, said: dict[str, str]) -> None:
        """Raises Undelivered."""
        try:
            check(url, self.settings.webhooks)  # the setting may be another one than at the launch
        except BadAddress as error:
            raise Undelivered(f"{host_of(url)} is not allowed: {error}") from error
        await post(url, body, said, self.settings.webhooks, trust=self.trust)
