"""The web application: our routes, and Gradio's pages behind them. Its callers make the store, queue and pages."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match, Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.api import (
    admin,
    bulk,
    cards,
    comparison,
    docs,
    errors,
    evaluations,
    examples,
    feed,
    preview,
    reports,
    results,
    runs,
    shares,
    spec,
    starts,
    status,
    studies,
)
from app.api.common import Services
from app.api.complaints import complaints
from app.api.labels import labels
from app.api.links import links
from app.api.packs import packs
from app.api.questions import questions
from app.api.questions.reading import StudyRequest
from app.api.rooms import rooms
from app.api.tabs import tabs
from app.api.webhooks import webhooks
from app.live.messages import Question
from app.pages import agents, landing, player
from app.pages.shell import Nowhere
from app.settings import Settings
from app.sharing.social import Social
from app.web import gradio_internals
from app.web.addresses import METHODS, Hosts
from app.web.assets import Assets
from app.web.auth.gate import Gate, Peer, door
from app.web.bodies import MAX_BODY
from app.web.metrics import Meter
from app.web.security import Rules, Security
from core.run.edits import SurgeryRequest
from core.run.spec import RunSpec
from core.studies.asked.question import OwnQuestion
from core.version import VERSION
from jobs.store.store import Store

ROUTERS = tuple(
    resource.router
    for resource in (
        runs,
        labels,
        bulk,
        results,
        starts,
        tabs,
        questions,
        studies,
        evaluations,
        links,
        packs,
        comparison,
        cards,
        spec,
        preview,
        examples,
        feed,
        status,
        shares,
        reports,
        complaints,
        rooms,
        webhooks,
        admin,
    )
)
"""The resources of the API, in the order of its description."""
READ_BY_US = (
    RunSpec,
    Question,
    bulk.Changes,
    bulk.Order,
    StudyRequest,
    OwnQuestion,
    SurgeryRequest,
    links.LinkRequest,
    admin.Wanted,
    admin.Amended,
    labels.Labels,
    rooms.RoomWanted,
    rooms.RoomChange,
    rooms.Nickname,
    complaints.RunComplaint,
    complaints.RoomComplaint,
)
"""JSON bodies that the routes parse themselves, for their own error messages."""
FASTAPIS_ERRORS = ("HTTPValidationError", "ValidationError")
WRONG = {
    "description": HTTPStatus(422).phrase,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wrong"}}},
}
TITLE = "OnlyBN"
DESCRIPTION = """How much can a network learn when all its weights stay random and only a few chosen parameters train?

A run is one training of one architecture under one policy. Launch one with POST /api/runs and follow it with
GET /api/runs/{run_id}. Everybody with the link can look at a run; only the holder of its owner token can cancel it.
A study is all the runs that answer one question, the paper's or your own, with a verdict: POST /api/studies.
An evaluation is a small job on a finished run, such as its accuracy without some features.
Errors are {"detail": "what was wrong and what would be right"}.
For programs, /agents.md shows in ten lines of Python how to ask a question, wait for it and read its verdict."""


def make_app(
    settings: Settings, store: Store, wake: Callable[[str], object], options: Callable[[], dict[str, Any]]
) -> FastAPI:
    """The application without pages. `wake(run_id)` wakes the workers; `options()` returns the choices of the form."""
    url = settings.public_url
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    errors.install(app)
    # The middleware added last is the outermost, so Security's headers are also on its own responses.
    # Only if the parent has CORSMiddleware does Gradio leave cross-origin requests to it. We allow no origin.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(Social, store=store, public_url=url)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Nowhere)
    if settings.metrics_token:
        token = settings.metrics_token.get_secret_value()
        app.add_middleware(Meter, token=token, numbers=store.tallies.numbers, folder=settings.data)
    if entrance := door(settings):
        app.add_middleware(Gate, way=entrance[0], sessions=entrance[1])
    app.add_middleware(Security, rules=rules_of(settings), largest_start=settings.largest_start_mb << 20)
    if settings.trusted_proxies:  # before Security, which takes out what anybody can send
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    app.add_middleware(Peer)
    app.router.routes += [feed.FIRST, Assets()]
    app.state.services = Services.of(settings, store, wake, options)
    for router in ROUTERS:
        app.include_router(router)
    _add_landing(app, options)
    _add_player(app)
    _add_agents(app, url)
    _add_docs(app)
    _add_unknown(app)
    return app


def rules_of(settings: Settings) -> Rules:
    """The rules for requests, as the settings have them."""
    hosts = Hosts(settings.host, settings.public_url, settings.known_hosts)
    return Rules(settings.frame_ancestors, settings.public_url, hosts, figures=settings.auth == "none")


def mount_pages(app: FastAPI, pages: gr.Blocks, settings: Settings, options: dict[str, Any]) -> None:
    """Put Gradio's `pages` behind the routes of `app`; `options`: theme, css and head for `gr.mount_gradio_app`."""
    arguments: dict[str, Any] = {
        "server_name": settings.host,
        "server_port": settings.port,
        "root_path": settings.public_url,
        "footer_links": [],
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "max_file_size": MAX_BODY,
        "ssr_mode": False,
        "mcp_server": False,
        "pwa": False,
        "allowed_paths": [],
        "blocked_paths": [str(settings.data)],
        "app_kwargs": {"docs_url": None, "redoc_url": None, "openapi_url": None},
        **options,
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=gradio_internals.SSR_WARNING, category=UserWarning)
        gr.mount_gradio_app(app, pages, path="/", **arguments)
    gradio_internals.rest(pages)


def _add_docs(app: FastAPI) -> None:
    described = app.openapi

    def openapi() -> dict[str, Any]:
        """FastAPI's description, with the bodies that we parse ourselves and our form of errors."""
        description = described()
        schemas = description.setdefault("components", {}).setdefault("schemas", {})
        for name in FASTAPIS_ERRORS:
            schemas.pop(name, None)
        for methods in description["paths"].values():
            for operation in methods.values():
                if "422" in operation["responses"]:
                    operation["responses"]["422"] = WRONG
        for model in READ_BY_US:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        return description

    app.openapi = openapi  # type: ignore[method-assign]
    page = cache(lambda: docs.page(app.openapi()))

    @app.get("/api/docs", include_in_schema=False)
    def show_docs() -> HTMLResponse:
        return HTMLResponse(page())


def _add_landing(app: FastAPI, options: Callable[[], dict[str, Any]]) -> None:
    page = cache(lambda: landing.page(options()))

    @app.get("/", include_in_schema=False)
    def show_landing(request: Request) -> Response:
        """The first page; an old link to the form, which lived here, leads to the form."""
        if landing.is_form(request.query_params.multi_items()):
            return RedirectResponse(f"/train?{request.url.query}")
        return HTMLResponse(page())


def _add_player(app: FastAPI) -> None:
    @app.get("/player", include_in_schema=False)
    def to_player() -> RedirectResponse:
        return RedirectResponse(player.ADDRESS)

    @app.get(player.ADDRESS, include_in_schema=False)
    def shown() -> HTMLResponse:
        return HTMLResponse(player.document())


def _add_agents(app: FastAPI, public_url: str | None) -> None:
    @app.get("/agents.md", include_in_schema=False)
    def show_agents(request: Request) -> Response:
        """How a program uses this site."""
        site = public_url or str(request.base_url).rstrip("/")
        return Response(agents.page(site), media_type="text/plain; charset=utf-8")


def _add_unknown(app: FastAPI) -> None:
    """Answer unknown addresses below /api, before Gradio's mount treats them as pages."""
    known = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]

    @app.api_route("/api/{path:path}", methods=list(METHODS), include_in_schema=False)
    def unknown(request: Request, path: str) -> Response:
        matching = [route for route in known if route.matches(request.scope)[0] is Match.PARTIAL]
        allowed = sorted({method for route in matching for method in route.methods or ()} - {"HEAD"})
        if allowed:
            headers = {"Allow": ", ".join([*allowed, "HEAD"] if "GET" in allowed else allowed)}
            raise errors.Problem(405, f"/api/{path} takes {' or '.join(allowed)}, not {request.method}", headers)
        raise errors.Problem(404, f"there is no /api/{path}; /api/docs lists what there is")
