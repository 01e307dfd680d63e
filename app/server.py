"""The web application: our routes, and Gradio's pages behind them. Makes no store, no queue and no page itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route

from app.api import bulk as bulk_api
from app.api import comparison as compare_api
from app.api import course, errors, examples, results, starts
from app.api import docs as api_docs
from app.api import evaluations as surgery_api
from app.api import preview as teaching_api
from app.api import report as report_api
from app.api import runs as api
from app.api import share as share_api
from app.api import status as workers_api
from app.api import studies as study_api
from app.api.common import Services
from app.live.feed import Feed
from app.live.messages import Question
from app.pages.shell import Nowhere
from app.preview.estimate import Estimator
from app.preview.outlook import Outlooks
from app.settings import Settings
from app.sharing.social import Social
from app.views import studies
from app.web.assets import Assets
from app.web.security import MAX_BODY, Rules, Security
from core.run.edits import SurgeryRequest
from core.run.spec import RunSpec
from core.version import VERSION
from jobs.store.store import Store

ROUTERS = (
    api.router,
    bulk_api.router,
    course.router,
    results.router,
    report_api.router,
    starts.router,
    study_api.router,
    compare_api.router,
    surgery_api.router,
    teaching_api.router,
    share_api.router,
    examples.router,
    workers_api.router,
)
TITLE = "OnlyBN"
NO_EVENTS_S = 3600.0
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
DESCRIPTION = """How much can a network learn when all its weights stay random and only a chosen few parameters train?

A run is one training of one architecture under one policy. Launch one with POST /api/runs and follow it with
GET /api/runs/{run_id}. Everybody who has the link can look at a run; only who has its owner token can cancel it.
A study is all runs that one question of the paper needs: POST /api/studies.
An evaluation is a small job on a finished run, such as its accuracy without some features.
Errors are {"detail": "what was wrong and what would be right"}."""


def make_app(
    settings: Settings, store: Store, wake: Callable[[str], object], options: Callable[[], dict[str, Any]]
) -> FastAPI:
    """The application without pages. `wake(run_id)` hints to the workers; `options()` is what a form offers."""
    feed, rules = Feed(store, settings.public_url), Rules(settings.frame_ancestors, settings.public_url)
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    errors.install(app)
    # The last added is the outermost: what Security answers itself carries its headers, too.
    # Gradio leaves cross-origin answers to its parent only if the parent has this middleware; nobody is allowed.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(Social, store=store, public_url=settings.public_url)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Nowhere)
    app.add_middleware(Security, rules=rules)
    app.router.routes.append(Assets())
    estimator = Estimator(store)
    app.state.services = Services(settings, store, wake, feed, estimator, options)
    app.state.outlooks = Outlooks(store, estimator, settings.public_url)
    app.state.studies = studies.Studies(store, settings.public_url, settings.largest_study)
    for router in ROUTERS:
        app.include_router(router)
    _add_docs(app)
    _add_unknown(app)
    return app


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
        # Gradio says that several pages cannot be rendered on the server even when nobody asked for that.
        warnings.filterwarnings("ignore", message="SSR mode is not supported", category=UserWarning)
        gr.mount_gradio_app(app, pages, path="/", **arguments)
    # Gradio looks for Python events every millisecond, 5 % of a core all day. Our pages have none (security.py).
    pages._queue.sleep_when_free = pages._queue.progress_update_sleep_when_free = NO_EVENTS_S


def _add_docs(app: FastAPI) -> None:
    described = app.openapi

    def openapi() -> dict[str, Any]:
        """FastAPI's description, with the bodies that we read ourselves."""
        description = described()
        schemas = description.setdefault("components", {}).setdefault("schemas", {})
        for model in (RunSpec, Question, bulk_api.Changes, bulk_api.Order, study_api.StudyRequest, SurgeryRequest):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        return description

    app.openapi = openapi  # type: ignore[method-assign]

    @app.get("/api/docs", include_in_schema=False)
    def show_docs() -> HTMLResponse:
        return HTMLResponse(api_docs.page(app.openapi()))


def _add_unknown(app: FastAPI) -> None:
    """Answer what is unknown below /api ourselves, before Gradio's mount takes it for a page."""
    known = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]

    @app.api_route("/api/{path:path}", methods=METHODS, include_in_schema=False)
    def unknown(request: Request, path: str) -> Response:
        matching = [route for route in known if route.matches(request.scope)[0] is Match.PARTIAL]
        allowed = sorted({method for route in matching for method in route.methods or ()} - {"HEAD"})
        if allowed:
            raise errors.Problem(405, f"/api/{path} takes {' or '.join(allowed)}, not {request.method}")
        raise errors.Problem(404, f"there is no /api/{path}; /api/docs lists what there is")
