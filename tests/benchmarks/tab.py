"""How fast a tab trains, against the server's engine with one thread on the same core, in one run.

python -m tests.benchmarks.tab                # images a second of both, ResNet-14 batchnorm, and the pair of examples
python -m tests.benchmarks.tab --truth        # and five replicates in the tab and on the server
python -m tests.benchmarks.tab --threads      # only one thread of a tab against several, in turn on all cores
python -m tests.benchmarks.tab --json FILE    # also written to FILE
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

CORES = os.sched_getaffinity(0)
CORE = min(CORES)
os.sched_setaffinity(0, {CORE})  # before torch counts them; the browser inherits it
os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from app.form.experiments import EXPERIMENTS, TWIN  # noqa: E402
from core.data.browser import SHIPPED  # noqa: E402
from core.network.group import Group  # noqa: E402
from core.run.events import Finished  # noqa: E402
from core.run.spec import RunSpec  # noqa: E402
from core.studies.statistics import welch  # noqa: E402
from core.training.learner import Learner  # noqa: E402
from core.training.loop import train  # noqa: E402
from tests.browser.conftest import launch  # noqa: E402
from tests.browser.tab import BEGIN, in_worker, page_from_disk, page_of_threads  # noqa: E402

ROUNDS, ROUNDS_OF_THREADS = 3, 5
MOST_THREADS = 8
STEPS = {"digits": 60, "fashion-mnist": 12}
TRUTH_EPOCHS = {"digits": 10, "fashion-mnist": 3}
REPLICATES = 5
RUN = """async ([spec, steps]) => {
  const all = await window.onlybn;
  const { Run } = await import("/sub/static/engine/training/run.js");
  window.kernels ??= await all.open(true);
  window.splits ??= {};
  window.splits[spec.dataset] ??= {
    train: await all.loadImages(spec.dataset, "train"), test: await all.loadImages(spec.dataset, "test") };
  const run = new Run(window.kernels, spec, window.splits[spec.dataset]);
  const began = performance.now();
  if (steps === null) {
    for (const event of run.events());
    const result = run.result();
    run.close();
    return { seconds: (performance.now() - began) / 1000, top1: result.top1 };
  }
  const batches = [];
  for (let epoch = 0; batches.length < 5 + steps; epoch += 1)
    batches.push(...all.batchesOf(window.kernels, run.train, run.learner.data, spec, epoch));
  for (const batch of batches.slice(0, 5)) run.learner.trainStep(batch); // until the code is compiled
  let [first, images] = [performance.now(), 0];
  for (const batch of batches.slice(5, 5 + steps)) {
    run.learner.trainStep(batch);
    images += batch.count;
  }
  const rate = images / ((performance.now() - first) / 1000);
  run.close();
  return { rate };
}"""

STEPS_OF_WORKER = """async ([spec, steps, threads]) => {
  const { open, loadImages, Run, batchesOf } = await window.onlybn;
  const kernels = await open(true, threads);
  const splits = { train: await loadImages(spec.dataset, "train"), test: await loadImages(spec.dataset, "test") };
  const { train, learner } = new Run(kernels, spec, splits);
  const batches = [];
  for (let epoch = 0; batches.length < 5 + steps; epoch += 1)
    batches.push(...batchesOf(kernels, train, learner.data, spec, epoch));
  for (const batch of batches.slice(0, 5)) learner.trainStep(batch); // until the code is compiled
  const first = performance.now();
  let images = 0;
  for (const batch of batches.slice(5, 5 + steps)) {
    learner.trainStep(batch);
    images += batch.count;
  }
  const rate = images / ((performance.now() - first) / 1000);
  kernels.close();
  return { rate, threads: kernels.threads };
}"""


def spec_of(dataset: str, policy: str = "batchnorm", epochs: int = 30, replicate: int = 0) -> RunSpec:
    train_examples, test_examples = SHIPPED[dataset]
    given = {"architecture": "resnet-14", "policy": policy, "dataset": dataset, "epochs": epochs}
    return RunSpec(**given, replicate=replicate, train_examples=train_examples, test_examples=test_examples)


def in_tab(page: Page, spec: RunSpec, steps: int | None = None) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(RUN, [json.loads(spec.model_dump_json()), steps])
    return found


def on_server(spec: RunSpec, steps: int) -> float:
    """Images a second of the server's engine, after five steps."""
    learner = Learner(spec, Path("data/datasets"), torch.device("cpu"), Group(), Path("none"))
    done, images, began = 0, 0, 0.0
    for epoch in range(100):
        for batch, labels in learner.batches.train(epoch, 0):
            if done == 5:
                began = time.perf_counter()
            learner.train_step(batch, labels, 0.0)
            done += 1
            images += len(labels) if done > 5 else 0
            if done == 5 + steps:
                return images / (time.perf_counter() - began)
    raise AssertionError("a hundred epochs have enough steps")


def speed(page: Page) -> dict[str, Any]:
    """The median rate of each engine, measured in turn."""
    found: dict[str, Any] = {}
    for dataset, steps in STEPS.items():
        spec = spec_of(dataset)
        rates = [(in_tab(page, spec, steps)["rate"], on_server(spec, steps)) for _ in range(ROUNDS)]
        tab, server = (statistics.median(column) for column in zip(*rates, strict=True))
        found[dataset] = {"tab": round(tab, 1), "server": round(server, 1), "ratio": round(tab / server, 3)}
        print(f"{dataset}: tab {tab:,.0f}, server with one thread {server:,.0f} images/s, ratio {tab / server:.2f}")
    return found


def of_threads(page: Page) -> dict[str, Any]:
    """The median rate of one thread and of several, measured in turn, and the processor time of a step."""
    several = min(len(CORES), MOST_THREADS)
    found: dict[str, Any] = {"threads": several}
    for dataset, steps in STEPS.items():
        spec = json.loads(spec_of(dataset).model_dump_json())
        rates: dict[int, list[float]] = {1: [], several: []}
        costs: dict[int, list[float]] = {1: [], several: []}
        for _ in range(ROUNDS_OF_THREADS):
            for threads in (1, several):
                seconds = []
                for count in (0, steps):  # what the steps alone take
                    before = processor_s()
                    measured = in_worker(page, STEPS_OF_WORKER, [spec, count, threads])
                    seconds.append(processor_s() - before)
                assert measured["threads"] == threads
                rates[threads].append(measured["rate"])
                costs[threads].append(1000 * (seconds[1] - seconds[0]) / steps)
        one, many = (round(statistics.median(rates[threads]), 1) for threads in (1, several))
        cost, cost_many = (round(statistics.median(costs[threads]), 1) for threads in (1, several))
        found[dataset] = {"one": one, "several": many, "ratio": round(many / one, 2)}
        found[dataset] |= {"step_ms_one": cost, "step_ms_several": cost_many, "load": os.getloadavg()[0]}
        print(
            f"{dataset}: one thread {one:,.0f}, {several} threads {many:,.0f} images/s, ratio {many / one:.2f}; "
            f"processor time of a step {cost:.0f} and {cost_many:.0f} ms; load {os.getloadavg()[0]:.0f}"
        )
    return found


def processor_s() -> float:
    """Of all processes of the browser, with the threads that have ended."""
    ticks, waiting = 0, [os.getpid()]
    while waiting:
        for file in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            for child in file.read_text().split():
                waiting.append(int(child))
                user, system = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11:13]
                ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


def pair(page: Page) -> float:
    """Seconds of the two runs of the first page, one after the other."""
    seconds = sum(in_tab(page, RunSpec(**run))["seconds"] for run in EXPERIMENTS[TWIN].runs)
    print(f"the pair of examples: {seconds:.1f} s")
    return round(seconds, 1)


def truth(page: Page) -> dict[str, Any]:
    """The accuracies of the same specs in the tab and on the server, and the interval of their difference."""
    found: dict[str, Any] = {}
    for dataset, epochs in TRUTH_EPOCHS.items():
        specs = [spec_of(dataset, epochs=epochs, replicate=replicate) for replicate in range(REPLICATES)]
        tab = [in_tab(page, spec)["top1"] for spec in specs]
        ends = [next(event for event in train(spec, analyses=False) if isinstance(event, Finished)) for spec in specs]
        server = [event.top1 for event in ends]
        apart = welch(tab, server)
        assert apart is not None
        found[dataset] = {"epochs": epochs, "tab": tab, "server": server, "low": apart.low, "high": apart.high}
        means = [100 * statistics.mean(values) for values in (tab, server)]
        print(
            f"{dataset}, {epochs} epochs, n={REPLICATES}: tab {means[0]:.1f}%, server {means[1]:.1f}%, difference "
            f"{100 * apart.low:+.1f} to {100 * apart.high:+.1f} points"
        )
    return found


def against_the_server(with_truth: bool) -> dict[str, Any]:
    torch.set_num_threads(1)
    with sync_playwright() as playwright, page_from_disk(launch(playwright)) as page:
        page.set_default_timeout(0)
        page.evaluate(BEGIN)
        found: dict[str, Any] = {"speed": speed(page), "pair_s": pair(page)}
        if with_truth:
            found["truth"] = truth(page)
    return found


def against_itself() -> dict[str, Any]:
    os.sched_setaffinity(0, CORES)
    with sync_playwright() as playwright, page_of_threads(launch(playwright)) as page:
        page.set_default_timeout(0)
        return of_threads(page)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--truth", action="store_true")
    arguments.add_argument("--threads", action="store_true")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    found = against_itself() if given.threads else against_the_server(given.truth)
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
