"""`python -m core studies` as a person uses it: real trainings of tiny networks on digits."""

from __future__ import annotations

import csv
import json
import signal
import time
from pathlib import Path

import pytest

from tests.core.program import core, start

pytestmark = pytest.mark.training

TINY = [
    *("studies", "run", "weight-init", "--threads", "1", "--replicates", "1"),
    *("--set", "dataset=digits", "--set", "epochs=1", "--set", "train_examples=64", "--set", "test_examples=32"),
    *("--set", "architecture=resnet-8"),
]


def test_the_list_and_what_is_refused(tmp_path: Path) -> None:
    listed = core("studies", "list")
    assert listed.returncode == 0 and "random-k" in listed.stdout and "18 runs" in listed.stdout
    for words, message in (
        (["studies", "run", "deep"], "unknown study 'deep'"),
        ([*TINY, "--set", "epochs=0", "--out", tmp_path / "x"], "epochs must be a whole number from 1 to 400, got 0"),
        ([*TINY, "--set", "policy=bn", "--out", tmp_path / "x"], "Allowed: batchnorm, all"),
        ([*TINY, "--set", "dataset.x=3", "--out", tmp_path / "x"], "dataset is 'digits' and has no parts"),
        ([*TINY, "--set", "architecture.x=3", "--out", tmp_path / "x"], "the study varies architecture: --set"),
        ([*TINY, "--set", "init=3", "--out", tmp_path / "x"], "the study varies init.weights: --set init.weights=A,B"),
        (
            [*TINY, "--set", "policy=all,all", "--out", tmp_path / "x"],
            "policy may have each value only once, got all, all",
        ),
        ([*TINY, "--set", "seeds.init=3", "--out", tmp_path / "x"], "sets replicate, seeds, name of its runs itself"),
        ([*TINY, "--set", "epochs", "--out", tmp_path / "x"], "--set takes KEY=VALUE"),
        ([*TINY, "--replicates", "0", "--out", tmp_path / "x"], "replicates must be 1..100"),
    ):
        done = core(*words)
        assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "x").exists()


def test_a_study_its_report_its_stop_and_its_neighbour(tmp_path: Path) -> None:
    out = tmp_path / "studies" / "one"
    words = [*TINY, "--set", "init.weights=he-normal,binary", "--out", out]
    first = start(*words)
    deadline = time.monotonic() + 100
    while not list(out.glob("runs/*/events.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=100)
    assert first.returncode == 130 and "the same command resumes" in said
    partial = (out / "report.html").read_text()
    assert "Missing:" in partial and "undecided" in partial
    done = core(*words)
    assert done.returncode == 0 and "2 of 2 runs finished" in done.stdout, done.stdout + done.stderr
    report = (out / "report.html").read_text()
    assert "Missing:" not in report and "on the command line" in report and "src=" not in report
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    assert {(row["weight_init"], row["quantity"]) for row in rows} >= {("he-normal", "top1"), ("binary", "train")}
    assert len({row["digest"] for row in rows}) == 2 and {row["processes"] for row in rows} == {"1"}
    again = core(*words)
    assert again.stdout.count("reused") == 2
    beside = core(*TINY, "--set", "init.weights=he-normal,he-uniform", "--out", tmp_path / "studies" / "two")
    assert beside.stdout.count("reused") == 1 and "2 of 2 runs finished" in beside.stdout
    other = core(*TINY, "--out", out)
    assert other.returncode == 2 and "holds another study" in other.stderr
    assert core("studies", "report", "weight-init", "--out", out).returncode == 0
    mistaken = core("studies", "report", "depth", "--out", out)
    assert mistaken.returncode == 2 and "holds the study weight-init, not depth" in mistaken.stderr
    assert (out / "report.html").read_text().count("Initialisation of the weights"), "nothing was written over"


def test_a_failed_run_does_not_stop_the_rest(tmp_path: Path) -> None:
    words = [*TINY, "--set", "init.weights=he-normal", "--set", "architecture=resnet-8,resnet-14", "--out", tmp_path]
    study = tmp_path / "study.json"
    assert core(*words, "--replicates", "1").returncode == 0
    first = json.loads((next(iter(sorted(tmp_path.glob("runs/*")))) / "spec.json").read_text())
    for file in next(iter(sorted(tmp_path.glob("runs/*")))).glob("*"):
        if file.is_file() and file.name != "spec.json":
            file.unlink()
    folder = next(iter(sorted(tmp_path.glob("runs/*"))))
    (folder / "spec.json").write_text("{}")
    done = core(*words)
    assert study.exists() and done.returncode == 1, done.stdout
    assert "failed" in done.stdout and "not the spec of a run" in done.stdout.replace("\n", " ")
    assert "reused" in done.stdout and first["architecture"] in done.stdout
    assert "1 of 2 runs finished" in done.stdout


QUESTION = """
title: All or nothing
claim: {kind: beats, value: all}
base: {architecture: resnet-8, dataset: digits, epochs: 1, train_examples: 64, test_examples: 32}
vary:
  policy: [all, none]
replicates: 2
"""


def test_a_question_in_a_file(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.yaml", tmp_path / "out"
    file.write_text(QUESTION)
    checked = core("studies", "check", file)
    assert checked.returncode == 0 and "4 runs: 2 settings, 2 replicates each" in checked.stdout
    assert "Claim: Test accuracy: All parameters beats every other value of policy." in checked.stdout
    assert not out.exists()
    done = core("studies", "run", file, "--out", out, "--threads", "1", "--set", "policy=all,none", "--replicates", "1")
    assert done.returncode == 0 and "2 of 2 runs finished" in done.stdout, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "not enough runs: A verdict needs 3 replicates; this study has 1." in said
    report = (out / "report.html").read_text()
    assert "All or nothing" in report and "own-all-or-nothing.yaml" in report and "The paper" not in report
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    assert {row["policy"] for row in rows} == {"all", "none"}
    exported = core("studies", "export", file)
    assert "vary:\n  policy: [all, none]" in exported.stdout


def test_what_a_file_may_not_say(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    for text, words, message in (
        (QUESTION + "replicates: 3", (), "“replicates” appears twice"),
        (QUESTION.replace("none]", "some]"), (), "vary.policy: policy: unknown policy 'some'"),
        (QUESTION, ("--scale", "evening"), "--scale is for named studies"),
        (QUESTION, ("--set", "policy=all"), "claim: nothing in this grid can decide it"),
    ):
        file.write_text(text)
        done = core("studies", "run", file, "--out", tmp_path / "x", *words)
        assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr, done.stderr
    gone = core("studies", "check", tmp_path / "other.yaml")
    assert gone.returncode == 2 and "cannot read" in gone.stderr
    assert not (tmp_path / "x").exists()


def test_a_named_study_becomes_a_file(tmp_path: Path) -> None:
    file = tmp_path / "random-k.yaml"
    file.write_text(core("studies", "export", "random-k").stdout)
    checked = core("studies", "check", file)
    assert checked.returncode == 0 and "18 runs: 6 settings" in checked.stdout, checked.stderr
