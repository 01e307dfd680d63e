"""The comparison that a page's address describes: its runs and its view. Checks every value.

An invalid value is left out and named in a sentence, so that an old or mistyped link still shows as much as possible.
The curves come through the feed; `api/comparison.py` has the route.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from app.form.experiments import EXPERIMENTS
from app.form.fields import OPTIONAL, USUAL
from app.views import runs as views
from app.views.address import Reading, Source, filters_of, quoted, read_source
from app.views.summaries import summaries
from jobs.store.mapping import UnreadableRun
from jobs.store.records import STATES, Run
from jobs.store.store import Store

MAX_RUNS = 200
FIELDS = (
    *("architecture", "policy", "dataset", "copy", "trained", "epochs"),
    *(key for key in OPTIONAL if key != "name"),
    *USUAL,
)
"""The keys of the spec's fields that runs can be grouped by: without a prefix for the recipe, else with the part."""
RESULTS = ("test", "train", "loss", "train_loss", "top5", "disabled", "seconds", "trainable", "total", "share")
"""Numbers that a run has at its end or from the start."""
WHOLE, EACH = "setting", "run"
"""Two special groupings: runs that differ only in the replicate form a group, or each run stands alone."""
COLUMNS = ("state", *FIELDS, *RESULTS, "difference", "launched")
SORTED = ("", "name", "-name", *COLUMNS, *(f"-{key}" for key in COLUMNS))
IGNORED = re.compile(r"embed|theme|figure|utm_.*|fbclid|gclid|__.*")
"""Parameters that do not belong to the comparison: those of other parts of the page and of visitor statistics."""


class View(TypedDict):
    """How runs are shown. `question`: the name of the one that its runs answer, or empty. `group`: keys of FIELDS, or
    WHOLE or EACH alone; `scatter`: its x and y; `base`: a run's id.

    `smooth` is the weight of the past, 0..0.99; `sort` is a column, with - before it if the largest comes first.
    """

    question: str
    group: list[str]
    metric: str
    x: str
    band: str
    smooth: float
    singles: bool
    base: str | None
    scatter: list[str]
    log: str
    sort: str
    columns: list[str]
    find: str


class Comparison(TypedDict):
    """`total`: how many runs match (`runs` has at most MAX_RUNS of them); `missing`: ids without a run; `problems`: a
    sentence for each invalid part of the address; `usual`: the default view."""

    source: Source
    view: View
    usual: View
    runs: list[views.RunSummary]
    total: int
    missing: list[str]
    problems: list[str]


def usual() -> View:
    """The default view: the mean curve of each setting, and the paper's own figure as the scatter chart."""
    return {
        "question": "",
        "group": [WHOLE],
        "metric": "test",
        "x": "epoch",
        "band": "t",
        "smooth": 0.0,
        "singles": False,
        "base": None,
        "scatter": ["trainable", "test"],
        "log": "x",
        "sort": "",
        "columns": [
            "state",
            "architecture",
            "policy",
            "dataset",
            "epochs",
            "replicate",
            "trainable",
            "test",
            "difference",
            "disabled",
        ],
        "find": "",
    }


CHOICES: Mapping[str, tuple[str, ...]] = {
    "metric": ("test", "train", "loss", "train_loss", "disabled"),
    "x": ("epoch", "step", "seconds"),
    "band": ("t", "sd", "range", "none"),
    "log": ("x", "y", "xy", "none"),
}


def grammar() -> dict[str, Any]:
    """What `read_view` takes, as data for a page that reads its address without a server."""
    return {
        "known": KNOWN,
        "usual": usual(),
        "choices": {**CHOICES, "question": ("", *EXPERIMENTS), "singles": ("0", "1"), "sort": SORTED},
        "lists": {"group": (WHOLE, EACH, *FIELDS), "scatter": (*FIELDS, *RESULTS), "columns": COLUMNS, "state": STATES},
        "alone": (WHOLE, EACH),
        "most": MAX_RUNS,
    }


def read_view(reading: Reading) -> View:
    plain = usual()
    group = reading.some_of("group", (WHOLE, EACH, *FIELDS), plain["group"])
    if len(group) > 1 and {WHOLE, EACH} & set(group):
        reading.problems.append(f"group can be {WHOLE} or {EACH} alone, or fields; got {quoted(','.join(group))}.")
        group = plain["group"]
    sort = reading.one_of("sort", SORTED, plain["sort"])
    base = reading.ids("base")
    return {
        "question": reading.one_of("question", ("", *EXPERIMENTS), plain["question"]),
        "group": group,
        "metric": reading.one_of("metric", CHOICES["metric"], plain["metric"]),
        "x": reading.one_of("x", CHOICES["x"], plain["x"]),
        "band": reading.one_of("band", CHOICES["band"], plain["band"]),
        "smooth": reading.number("smooth", 0, 0.99, plain["smooth"]),
        "singles": reading.one_of("singles", ("0", "1"), "0") == "1",
        "base": base[0] if base else None,
        "scatter": reading.some_of("scatter", (*FIELDS, *RESULTS), plain["scatter"], exactly=2),
        "log": reading.one_of("log", CHOICES["log"], plain["log"]),
        "sort": sort,
        "columns": reading.some_of("columns", COLUMNS, plain["columns"]),
        "find": reading.text("find"),
    }


KNOWN = (*Source.__annotations__, *View.__annotations__)


def comparison(query: Mapping[str, str], store: Store, public_url: str | None = None) -> Comparison:
    """The comparison for the address with the parameters `query`."""
    reading = Reading(query)
    for key in query:
        if key not in KNOWN and not IGNORED.fullmatch(key):
            reading.problems.append(f"This page has no option {quoted(key)}. Allowed: {', '.join(KNOWN)}.")
    source, view = read_source(reading), read_view(reading)
    runs, total, missing = _found(source, store, reading.problems)
    if view["base"] and view["base"] not in {run.id for run in runs}:
        reading.problems.append(f"The baseline {view['base']} is not among these runs.")
        view["base"] = None
    return {
        "source": source,
        "view": view,
        "usual": usual(),
        "runs": summaries(runs, store, public_url),
        "total": total,
        "missing": missing,
        "problems": reading.problems,
    }


def _found(source: Source, store: Store, problems: list[str]) -> tuple[list[Run], int, list[str]]:
    """The runs in the order of the source, the number of matches, and the ids without a run."""
    without = set(source["without"])
    if source["runs"]:
        wanted = [run_id for run_id in source["runs"] if run_id not in without]
        there = store.runs.many(wanted[:MAX_RUNS])
        runs, total = [there[run_id] for run_id in wanted if run_id in there], len(wanted)
        refused = {
            run_id: reason
            for run_id in wanted[:MAX_RUNS]
            if run_id not in there and (reason := _refused(store, run_id))
        }
        problems += refused.values()
        missing = [run_id for run_id in wanted[:MAX_RUNS] if run_id not in there and run_id not in refused]
    elif source["study"]:
        study, missing = store.studies.get(source["study"]), []
        if study is None:
            problems.append(f"There is no study {source['study']} on this server.")
        members = {run.id: run for run in (study.runs if study else ()) if run.id not in without}
        runs, total = list(members.values())[:MAX_RUNS], len(members)
    elif any(source[key] for key in ("text", "state", "policy", "architecture", "dataset", "tag", "room")):
        page, total = store.runs.find(filters=filters_of(source), limit=MAX_RUNS)
        runs, missing = [run for run in page if run.id not in without], []
    else:
        runs, total, missing = [], 0, []
    if total > MAX_RUNS:
        problems.append(f"{total:,} runs match; these are {MAX_RUNS}, the most that one page compares.")
    return runs, total, missing


def _refused(store: Store, run_id: str) -> str | None:
    """Why a run cannot be read; None if it can, or if it does not exist."""
    try:
        store.runs.get(run_id)
    except UnreadableRun as error:
        words = str(error)
        return f"{words[0].upper()}{words[1:].rstrip('.')}."
    return None
