"""Findings, capsules and the files that runs start from, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib

from core.run.spec import RunSpec
from jobs.store.records import Batch
from jobs.store.store import Store
from tests.events import analysed, finished
from tests.jobs.store.test_store import claimed


def test_findings_come_back_whole_and_only_from_the_holder(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    assert store.results.findings(run.id) is None and store.results.findings("nosuchrun") is None
    first, second = analysed(spec, 0.5), analysed(spec, 0.75)
    assert store.claims.record(run.id, 1, Batch(analysed=first)) == "ok"
    assert store.results.findings(run.id) == first.findings
    store.claims.lose(store.claims.held()[0], "No sign of life.")
    store.claims.take("two")
    assert store.claims.record(run.id, 1, Batch(analysed=second)) == "lost"
    assert store.results.findings(run.id) == first.findings
    assert store.claims.record(run.id, 2, Batch(analysed=second)) == "ok", "made again by the next attempt"
    assert store.results.findings(run.id) == second.findings


def test_a_capsule_comes_with_the_end_of_its_run(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    assert not store.claims.finish(run.id, 2, finished(spec), b"a zombie's")
    assert store.results.capsule(run.id) is None
    assert store.claims.finish(run.id, 1, finished(spec), b"bytes")
    assert store.results.capsule(run.id) == b"bytes"
    other = claimed(store, spec)
    assert store.claims.finish(other.id, 1, finished(spec)) and store.results.capsule(other.id) is None


def test_progress_of_the_analyses_is_shown_and_forgotten_at_the_end(store: Store, spec: RunSpec) -> None:
    from core.run.events import Progress

    run = claimed(store, spec)
    progress = Progress(step=4, total_steps=4, analysed=0.4, images_per_s=1.0, elapsed_s=1.0, eta_s=2.0)
    store.claims.record(run.id, 1, Batch(progress=progress))
    now = store.runs.get(run.id)
    assert now is not None and now.analysed == 0.4
    store.claims.finish(run.id, 1, finished(spec))
    now = store.runs.get(run.id)
    assert now is not None and now.analysed is None


def test_a_start_is_kept_once_under_its_digest(store: Store) -> None:
    content = b"\x00tensors"
    digest = hashlib.sha256(content).hexdigest()
    assert store.starts.get(digest) is None and not store.starts.has(digest)
    assert store.starts.keep(content) == store.starts.keep(content) == digest
    assert store.starts.get(digest) == content and store.starts.has(digest)
