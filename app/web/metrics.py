"""What Prometheus asks for at /metrics: the requests of this process, and the state of the installation."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.answers import refuse
from app.web.auth.tries import TRIES_WITHIN_S, Tries, address_of, digest_of

ADDRESS = "/metrics"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10)
Numbers = Callable[[], dict[str, dict[str, float]]]


class State(Collector):
    """Gauges that are read when they are asked for: `numbers()` has for each name its values by label, which is empty
    where there is one value."""

    def __init__(self, numbers: Numbers, folder: Path) -> None:
        self._numbers, self._folder = numbers, folder

    def collect(self) -> Iterable[Metric]:
        try:
            found = self._numbers()
        except Exception:  # whatever the database does, the other numbers are still worth having
            found = {}
        up = GaugeMetricFamily("onlybn_database_up", "Whether the database answered")
        up.add_metric([], float(bool(found)))
        yield up
        for name, values in found.items():
            gauge = GaugeMetricFamily(f"onlybn_{name}", f"{name.capitalize()} by state", labels=["state"])
            if "" in values:
                gauge = GaugeMetricFamily(f"onlybn_{name}", f"{name.capitalize()} now")
            for label, value in values.items():
                gauge.add_metric([label] if label else [], value)
            yield gauge
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:
            return
        disk = GaugeMetricFamily("onlybn_disk_free_bytes", "Free bytes on the disk of the data folder")
        disk.add_metric([], free)
        yield disk


class Meter:
    """A middleware that counts requests, and answers /metrics for who sends `token` as a bearer."""

    def __init__(self, app: ASGIApp, token: str, numbers: Numbers, folder: Path) -> None:
        self.app, self._token = app, digest_of(token)
        self._tries = Tries()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(State(numbers, folder))
        self._requests = Counter(
            "onlybn_requests", "Responses that were started", ["method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "onlybn_request_seconds",
            "Seconds until a response started",
            buckets=SECONDS,
            registry=self.registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == ADDRESS:
            answer = await self._answer(Request(scope, receive))
            await answer(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(scope["method"], str(message["status"])).inc()
                self._seconds.observe(time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, send_and_count)

    async def _answer(self, request: Request) -> Response:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        address = address_of(request)
        if self._tries.too_many(address):
            answer = refuse(429, "too many wrong tokens came from this address; wait a minute")
            answer.headers["Retry-After"] = str(int(TRIES_WITHIN_S))
            return answer
        if kind.lower() != "bearer" or not self._tries.right(address, given.strip(), self._token):
            answer = refuse(401, "send the token in ONLYBN_METRICS_TOKEN as Authorization: Bearer")
            answer.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
            return answer
        if request.method not in ("GET", "HEAD"):
            return refuse(405, f"{ADDRESS} takes GET, not {request.method}")
        text = await run_in_threadpool(generate_latest, self.registry)
        return Response(text, headers={"Content-Type": TEXT, "Cache-Control": "no-store"})
