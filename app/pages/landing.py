"""The page at `/`: the finding, the questions, and the ways into the site, as a document of our own without Gradio.

It is readable before and without any script: what was found stands in it, with its picture.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from app.form.experiments import EXPERIMENTS, TWIN
from app.pages import experiments, shell
from app.pages.table import PAGES, TITLE
from app.web.modules import preloads
from core.catalog.datasets import DATASETS
from core.documents import templates
from core.documents.curves import curves
from core.studies import shipped
from core.studies.headline import Headline, headline

SCRIPT = "pages/start/page.js"
IGNORED = ("embed", "theme", "utm_", "fbclid", "gclid", "__")
"""Parameters, or their beginnings, that do not fill in the form."""


def is_form(query: list[tuple[str, str]]) -> bool:
    """Whether an address with these parameters is an old link to the form, which lived at `/`."""
    return any(not key.startswith(IGNORED) for key, _ in query)


@lru_cache(1)
def found() -> Headline | None:
    """The finding in the shipped results."""
    return headline(shipped.read().values())


def page(options: dict[str, Any]) -> str:
    """The whole document. `options`: the registries for the scripts."""
    known = json.dumps(options, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return shell.page(PAGES["/"].link_title, body(known), script=SCRIPT, head=preloads(SCRIPT))


def body(known: str, frozen: bool = False) -> str:
    """The part between header and footer. `known`: the registries as JSON; `frozen`: without what needs a server."""
    finding, twin = found(), EXPERIMENTS[TWIN]
    dataset = DATASETS[finding.dataset] if finding else None
    return templates.render(
        "app/pages/landing.html.j2",
        title=TITLE,
        finding=finding,
        dataset=dataset,
        architecture=finding and finding.architecture.upper().replace("RESNET", "ResNet"),
        picture=Markup(curves(finding, twin.names, 1 / len(dataset.classes))) if finding and dataset else "",
        names=twin.names,
        claim=twin.claim,
        cards=Markup(experiments.cards()),
        options=Markup(known),
        frozen=frozen,
    )
