"""What a worker sends to webhooks, to real receivers on this machine, also when workers are killed meanwhile."""

from __future__ import annotations

import base64
import hmac
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs.quotas import Asker
from jobs.settings import WorkerSettings
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.store.webhooks.endings import Wish
from jobs.store.webhooks.tables import MESSAGES
from jobs.webhooks.signature import secret_of
from jobs.worker.sender import Sender
from tests.jobs.support import apart, eventually, fake_spec
from tests.jobs.webhooks.receiver import receiving

FAKE_WORKER = (sys.executable, str(Path(__file__).parents[1] / "fake_worker.py"))


@pytest.fixture
def own(settings: WorkerSettings) -> WorkerSettings:
    """Settings under which the own network may be told."""
    return settings.model_copy(update={"webhooks": "private"})


def sender(store: Store, settings: WorkerSettings) -> Sender:
    return Sender(store, settings, threading.Event())


def ended(store: Store, url: str) -> Run:
    run, _ = store.runs.submit(fake_spec("Ada 1"), webhook=Wish(url, "http://127.0.0.1/run?id={}".format))
    store.runs.cancel(run.id)
    return run


def problem(store: Store, run: Run) -> str:
    now = store.webhooks.of(run.id)
    assert now is not None
    return now.problem or now.standing


def test_a_message_can_be_checked_with_the_secret(lite: Store, own: WorkerSettings) -> None:
    with receiving() as receiver:
        run = ended(lite, receiver.url)
        assert apart(sender(lite, own).send) == 1 and apart(sender(lite, own).send) == 0
        ((headers, body, at),) = receiver.got
    key = base64.b64decode(secret_of(own.signing_key(), run.id).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - at) < 60 and b'"run.cancelled"' in body
    assert problem(lite, run) == "delivered"


def test_a_retry_has_the_same_id_and_a_new_timestamp(lite: Store, own: WorkerSettings) -> None:
    with receiving() as receiver:
        receiver.answers = [500, 204]
        run = ended(lite, receiver.url)
        first = sender(lite, own)
        first.now = lambda: time.time() - 1000
        apart(first.send)
        assert problem(lite, run) == "127.0.0.1 answered with status 500"
        with lite.database.writing() as connection:
            connection.execute(sa.update(MESSAGES).values(due_at=0.0))
        apart(sender(lite, own).send)
        assert problem(lite, run) == "delivered"
        assert len(receiver.ids) == 2 and len(set(receiver.ids)) == 1
        assert len({headers["webhook-timestamp"] for headers, _, _ in receiver.got}) == 2
        assert receiver.got[0][1] == receiver.got[1][1]


def test_what_may_not_be_reached_now_is_not_reached(lite: Store, settings: WorkerSettings) -> None:
    """The setting was another one at the launch."""
    with receiving() as receiver:
        run = ended(lite, receiver.url)
        apart(sender(lite, settings).send)
        assert "must begin with https" in problem(lite, run) and receiver.got == []


def test_slow_receivers_of_some_do_not_hold_up_others(lite: Store, own: WorkerSettings) -> None:
    open_ = threading.Event()

    def stall(_: BaseHTTPRequestHandler) -> None:
        open_.wait(20)

    with receiving() as slow, receiving() as quick:
        slow.act = stall
        for number in range(3):
            by = Asker("slow", "a")
            run, _ = lite.runs.submit(fake_spec(f"slow {number}"), by=by, webhook=Wish(slow.url, str))
            lite.runs.cancel(run.id)
        run, _ = lite.runs.submit(fake_spec("quick"), by=Asker("quick", "b"), webhook=Wish(quick.url, str))
        lite.runs.cancel(run.id)
        thread = threading.Thread(target=sender(lite, own).send)
        thread.start()
        eventually(lambda: quick.got and slow.got, 5)
        assert len(slow.got) == 1, "of each visitor one at a time"
        open_.set()
        thread.join()


def test_no_log_has_the_address(lite: Store, own: WorkerSettings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "onlybn")
    with receiving() as receiver:
        run = ended(lite, receiver.url)
        apart(sender(lite, own).send)
    apart(sender(lite, own).send)
    assert run.id in caplog.text and "told" not in caplog.text and "127.0.0.1" not in caplog.text


@pytest.mark.server
def test_workers_that_are_killed_lose_no_message(lite: Store, own: WorkerSettings) -> None:
    """A worker is killed while a receiver holds its message; two others end the run and send, once each."""
    environment = {**os.environ, "ONLYBN_WEBHOOKS": "private", "ONLYBN_DATA": str(own.data)}
    environment |= {"ONLYBN_QUEUE_NAME": own.queue_name}
    killed: list[subprocess.Popen[Any]] = []
    with receiving() as receiver:

        def kill(_: BaseHTTPRequestHandler) -> None:
            killed[0].send_signal(signal.SIGKILL)
            receiver.act = None

        receiver.act = kill
        run, _ = lite.runs.submit(fake_spec("steps=5"), webhook=Wish(receiver.url, str))
        workers = [subprocess.Popen(FAKE_WORKER, env=environment, stdout=subprocess.DEVNULL)]
        killed.append(workers[0])
        try:
            eventually(lambda: workers[0].poll() is not None, 40)
            with lite.database.writing() as connection:  # a lease is two minutes
                connection.execute(sa.update(MESSAGES).values(leased_until=0.0))
            workers += [subprocess.Popen(FAKE_WORKER, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
            eventually(lambda: problem(lite, run) == "delivered", 40)
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait(30)
        assert len(receiver.got) == 2 and len(set(receiver.ids)) == 1
        assert {body["type"] for body in receiver.bodies} == {"run.finished"}
