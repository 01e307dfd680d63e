"""The comparison that a page's address asks for: which runs, and how they shall be shown. Every value is checked here.

A value that cannot be followed is left out with a sentence that says so, so that an old or a mistyped link still shows
what it can. The curves come through the feed; `api/comparison.py` asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from typing_extensions import TypedDict

from app.form.fields import OPTIONAL, USUAL
from app.views import runs as views
from app.views.address import Reading, Source, filters_of, quoted, read_source
from jobs.store.mapping import UnreadableRun
from jobs.store.records import Run
from jobs.store.store import Store

MAX_RUNS = 200
FIELDS = ("architecture", "policy", "dataset", "epochs", *(key for key in OPTIONAL if key != "name"), *USUAL)
"""The fields of a spec that runs can be grouped by, by key: the recipe's bare, other parts' with their part."""
RESULTS = ("test", "train", "loss", "train_loss", "top5", "disabled", "seconds", "trainable", "total", "share")
"""Numbers that a run ends with or has from the start."""
WHOLE, EACH = "setting", "run"
"""Groups of runs that differ in nothing but the replicate, and no groups at all."""
COLUMNS = ("state", *FIELDS, *RESULTS, "difference", "launched")
IGNORED = re.compile(r"embed|theme|utm_.*|fbclid|gclid|__.*")
"""Parameters that are none of ours: another part of the page, or whoever counts visitors, reads them."""


class View(TypedDict):
    """How runs are shown. `group`: keys of FIELDS, or WHOLE or EACH alone; `scatter`: its x and y; `base`: a run's id.

    `smooth` is the weight of the past, 0..0.99; `sort` is a column, with - before it where the largest comes first.
    """

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
    """`total`: how many runs match, of which `runs` has at most MAX_RUNS; `missing`: ids of which there is no run;
    `problems`: what of the address could not be followed, a sentence each; `usual`: the view without any wish."""

    source: Source
    view: View
    usual: View
    runs: list[views.RunSummary]
    total: int
    missing: list[str]
    problems: list[str]


def usual() -> View:
    """What is shown where nothing is asked for: the paper's own figure, and every setting's mean."""
    return {
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


def read_view(reading: Reading) -> View:
    plain = usual()
    group = reading.some_of("group", (WHOLE, EACH, *FIELDS), plain["group"])
    if len(group) > 1 and {WHOLE, EACH} & set(group):
        reading.problems.append(f"group can be {WHOLE} or {EACH} alone, or fields; got {quoted(','.join(group))}.")
        group = plain["group"]
    sort = reading.one_of("sort", ["", "name", "-name", *COLUMNS, *(f"-{key}" for key in COLUMNS)], plain["sort"])
    base = reading.ids("base")
    return {
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
    """What the address with these parameters shows."""
    reading = Reading(query)
    for key in query:
        if key not in KNOWN and not IGNORED.fullmatch(key):
            reading.problems.append(f"This page knows no {quoted(key)}; it knows {', '.join(KNOWN)}.")
    source, view = read_source(reading), read_view(reading)
    runs, total, missing = _found(source, store, reading.problems)
    if view["base"] and view["base"] not in {run.id for run in runs}:
        reading.problems.append(f"The baseline {view['base']} is not among these runs.")
        view["base"] = None
    return {
        "source": source,
        "view": view,
        "usual": usual(),
        "runs": [views.summary(run, public_url) for run in runs],
        "total": total,
        "missing": missing,
        "problems": reading.problems,
    }


def _found(source: Source, store: Store, problems: list[str]) -> tuple[list[Run], int, list[str]]:
    """The runs in the order of the source, how many match, and the ids of which there is none."""
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
    elif any(source[key] for key in ("text", "state", "policy", "architecture", "dataset")):
        page, total = store.runs.find(**vars(filters_of(source)), limit=MAX_RUNS)
        runs, missing = [run for run in page if run.id not in without], []
    else:
        runs, total, missing = [], 0, []
    if total > MAX_RUNS:
        problems.append(f"{total:,} runs match; these are {MAX_RUNS}, the most that one page compares.")
    return runs, total, missing


def _refused(store: Store, run_id: str) -> str | None:
    """Why a run that is there cannot be shown; None of one that is not there."""
    try:
        store.runs.get(run_id)
    except UnreadableRun as error:
        words = str(error)
        return f"{words[0].upper()}{words[1:].rstrip('.')}."
    return None
