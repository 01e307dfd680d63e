"""Many short trainings side by side, one thread and one process each, whose results a file keeps: what is there is not
run again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from core.engine.choice import Engine
from core.network.builder import Network
from core.run.events import Failed, Finished
from core.run.spec import RunSpec

CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Job:
    """One training; `by`: what computes it. `modules` are torch's own in float32; `rounded` is our engine with
    gradients in bfloat16, also where the machine is slow at it."""

    spec: RunSpec
    by: Literal["engine", "modules", "rounded"] = "engine"


def run_all(jobs: Mapping[str, Job], file: Path | None, processes: int = CORES) -> dict[str, dict[str, Any]]:
    """By each job's name what came of it: `top1` (None where it diverged), `seconds`, `engine`. Prints as they end."""
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file and file.exists() else {}
    missing = {name: job for name, job in jobs.items() if rows.get(name, {}).get("digest") != _digest(job)}
    # A process for each, as some change what their process computes with.
    with ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1) as pool:
        waiting = {pool.submit(_train, job): name for name, job in missing.items()}
        for done in as_completed(waiting):
            name = waiting[done]
            rows[name] = {"digest": _digest(missing[name]), **done.result()}
            print(f"{name}: {_words(rows[name])}", flush=True)
            if file:
                file.write_text(json.dumps(rows, indent=1) + "\n")
    return {name: rows[name] for name in jobs}


def _digest(job: Job) -> str:
    return f"{job.spec.digest[:16]}{'' if job.by == 'engine' else f'-{job.by}'}"


def _words(row: dict[str, Any]) -> str:
    result = "diverged" if row["top1"] is None else f"{row['top1']:.4f}"
    return f"{result} in {row['seconds']:.0f} s ({row['engine']})"


def _train(job: Job) -> dict[str, Any]:
    import torch

    from core.engine.modules import ModuleEngine
    from core.machine.memory import keep_freed_memory
    from core.training import learner
    from core.training import loop as training

    keep_freed_memory()
    torch.set_num_threads(1)
    if job.by == "modules":
        patch.object(learner, "make_engine", lambda network, *rest: ModuleEngine(network)).start()
    if job.by == "rounded":
        patch.object(learner, "make_engine", _rounded_engine).start()
    words, last = "", None
    for event in training.train(job.spec, analyses=False):
        words, last = getattr(event, "engine", words), event
    if isinstance(last, Failed):
        assert last.kind == "diverged", last
        return {"top1": None, "seconds": 0.0, "engine": words}
    assert isinstance(last, Finished), last
    return {"top1": last.top1, "seconds": last.seconds, "engine": words}


def _rounded_engine(network: Network, spec: RunSpec, *rest: Any) -> Engine:
    """See Job.by."""
    import torch

    from core.engine import choice as engine
    from core.engine.algorithms import Algorithm, Dispatch, Shape

    everywhere = Dispatch(torch.bfloat16, {Shape.of(conv): Algorithm.FLOAT32 for conv in spec.plan.convolutions})
    patch.object(engine, "choose_dispatch", lambda plan, batch, winograd: everywhere).start()
    return engine.make_engine(network, spec, *rest)
