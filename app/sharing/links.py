"""The preview of a link: title, description and picture, from the numbers in the store.

Knows no HTML and no requests: `social.py` writes it into the page, `api/cards.py` serves the picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qs, urlencode

from app.pages.table import PAGES, TITLE
from app.sharing.cards import Bar, Card, Curve
from app.sharing.wording import (
    TOLD,
    architecture_title,
    best,
    count,
    facts,
    kind_of,
    name_of,
    numbers,
    outcome,
    sentence,
    standing,
)
from app.views.address import Reading, Source, filters_of, read_source
from core.catalog.datasets import DATASETS
from core.catalog.policies import policy
from core.studies.catalog.table import STUDIES
from jobs.store.records import ID_PATTERN, Run
from jobs.store.store import Store
from jobs.store.studies import OWN
from jobs.store.tallies import Tally

LONGEST = 300
CARD = "/api/card.png"


@dataclass(frozen=True)
class LinkPreview:
    """The preview of a link; `card` is the picture's address without the host."""

    title: str
    description: str
    card: str = CARD


@dataclass(frozen=True)
class Shown:
    """The runs of an address: a few single ones, or many by kind. `study`: name and scale, or OWN and its title;
    `words`: filters."""

    runs: Sequence[Run] = ()
    kinds: Sequence[Tally] = ()
    study: tuple[str, str] | None = None
    words: str = ""

    @property
    def question(self) -> str:
        """The study's question."""
        name, scale = self.study or ("", "")
        if name == OWN:
            return scale
        return STUDIES[name].question if name in STUDIES else f"Study {name}"

    @property
    def kind(self) -> str:
        """What kind of study it is, before the number of its runs."""
        name, scale = self.study or ("", "")
        return "A question with several runs." if name == OWN else f"A study of the paper’s question, scale {scale}."


def preview(path: str, query: str, store: Store) -> LinkPreview | None:
    """The preview of the page at `path`; None if it is not one of ours."""
    page = PAGES.get(path)
    if page is None:
        return None
    source = asked(path, query)
    shown = look(source, store) if source else None
    if source is None or shown is None:
        return LinkPreview(page.link_title, page.description)
    title, description = _said(shown)
    return LinkPreview(title, description[:LONGEST], f"{CARD}?{_address(source)}")


def asked(path: str, query: str) -> Source | None:
    """The runs that the address of a page names; None if it names none or cannot be parsed."""
    try:
        given = {key: values[0] for key, values in parse_qs(query, max_num_fields=60).items()} if query else {}
    except ValueError:
        return None
    if path in PAGES and (key := PAGES[path].run):
        return source_of({"runs": given.get(key, "").partition(",")[0]})
    if path == "/runs" and "compare" in given:
        return source_of({"runs": given["compare"]})
    if path == "/paper":
        return source_of({"study": given.get("study", "")})
    return source_of(given) if path in ("/compare", "/runs", "/tasks") else None


def is_unknown(path: str, query: str, store: Store) -> bool:
    """Whether the address of a run's page names a run that is not here."""
    page = PAGES.get(path)
    if page is None or page.run is None:
        return False
    try:
        given = parse_qs(query, max_num_fields=60).get(page.run, [""])[0].partition(",")[0]
    except ValueError:
        return True
    return bool(given) and (re.fullmatch(ID_PATTERN, given) is None or store.runs.state(given) is None)


def source_of(given: Mapping[str, str]) -> Source | None:
    """The runs that the parameters of a comparison name; None if they name none."""
    source = read_source(Reading(given))
    return source if any(value for key, value in source.items() if key != "without") else None


def look(source: Source, store: Store) -> Shown | None:
    """The runs of `source`, with few queries to the store and without curves; None if there are none."""
    without = source["without"]
    ids = [run_id for run_id in source["runs"] if run_id not in without]
    if ids and len(ids) <= TOLD:
        known = store.runs.many(ids)
        found = Shown([known[run_id] for run_id in ids if run_id in known])
    elif ids:
        found = Shown(kinds=store.tallies.count(ids=ids))
    elif source["study"]:
        label = store.studies.label(source["study"])
        found = Shown(kinds=store.tallies.count(study=source["study"], without=without), study=label)
    else:
        found = Shown(kinds=store.tallies.count(filters_of(source), without=without), words=_filter_words(source))
    return found if found.runs or found.kinds else None


def card_of(shown: Shown | None, store: Store) -> Card:
    """The picture for `shown`; for None, the site's own."""
    if shown is None:
        return Card("A browser laboratory", TITLE, ("Every weight stays random. Only a few chosen parameters train.",))
    if len(shown.runs) == 1:
        return _card_of_run(shown.runs[0], store)
    if shown.runs:
        curves = tuple(Curve(points, k) for k, run in enumerate(shown.runs) if (points := _points(run, store)))
        lines = tuple(f"{name_of(run)}: {outcome(run)}" for run in shown.runs[:4])
        return Card("Compared", f"{len(shown.runs)} runs", lines, curves=curves)
    kinds = shown.kinds
    bars = [Bar(kind_of(kind, kinds), kind.mean) for kind in kinds if kind.mean is not None]
    lines = tuple(filter(None, (shown.words, standing(kinds), best(kinds))))
    if shown.study:
        scale = "" if shown.study[0] == OWN else f" · {shown.study[1]}"
        return Card(f"Study{scale}", shown.question, lines, bars=tuple(bars[:TOLD]))
    return Card("Compared", count(kinds), lines, bars=tuple(bars[:TOLD]))


def _said(shown: Shown) -> tuple[str, str]:
    """The title and the description of a preview."""
    if len(shown.runs) == 1:
        return name_of(shown.runs[0]), sentence(shown.runs[0])
    if shown.runs:
        return f"{len(shown.runs)} runs compared", "; ".join(f"{name_of(run)}: {outcome(run)}" for run in shown.runs)
    if shown.study:
        return shown.question, f"{shown.kind} {numbers(shown.kinds)}"
    words = f": {shown.words}" if shown.words else ""
    return f"{count(shown.kinds)} compared{words}", numbers(shown.kinds)


def _address(source: Source) -> str:
    """`source` as parameters: `runs=a,b`."""
    return urlencode(
        {
            key: value if isinstance(value, str) else ",".join(cast("list[str]", value))
            for key, value in source.items()
            if value
        },
        safe=",",
    )


def _card_of_run(run: Run, store: Store) -> Card:
    architecture, trains, dataset = facts(run)
    share = f"{run.counts.trainable:,} of {run.counts.total:,} parameters train"
    number, words = ("", "") if run.top1 is None else (f"{run.top1:.1%}", "test accuracy")
    told = (trains, dataset) if not run.spec.name else (architecture, trains, dataset)
    state = "" if run.state == "finished" else f" · {run.state}"
    points = _points(run, store)
    curves = (Curve(points),) if points else ()
    return Card(f"Run{state}", run.spec.name or architecture, (" · ".join(told), share), number, words, curves)


def _points(run: Run, store: Store) -> tuple[tuple[float, float], ...]:
    return tuple((min(1.0, p.step / run.total_steps), p.top1) for p in store.curves.tests(run.id))


def _filter_words(source: Source) -> str:
    """`Finished · BatchNorm only · Digits`; static/pages/compare/page.js writes it in the same way."""
    said = (
        [state.capitalize() for state in source["state"]],
        [policy(name).title for name in source["policy"]],
        [architecture_title(name) for name in source["architecture"]],
        [DATASETS[name].title for name in source["dataset"]],
        [f"“{source['text']}”"] if source["text"] else [],
        [f"tagged {source['tag']}"] if source["tag"] else [],
    )
    return " · ".join(" or ".join(words) for words in said if words)
