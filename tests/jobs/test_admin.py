"""`python -m jobs admin`, as somebody types it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jobs.__main__ import main
from jobs.quotas import Asker
from jobs.settings import WorkerSettings
from jobs.store.store import Store
from tests.jobs.store.shares.test_keeping import done
from tests.jobs.support import fake_spec


@pytest.fixture
def say(
    lite: Store, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> object:
    """Runs the command and returns its exit code and what it printed."""
    monkeypatch.setenv("ONLYBN_DATA", str(settings.data))

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["jobs", "admin", *words])
        code = main()
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_the_queue_is_paused_drained_and_opened(say, lite: Store) -> None:  # type: ignore[no-untyped-def]
    lite.runs.submit(fake_spec())
    assert say("pause") == (0, "No new runs start; running ones continue.\n") and lite.claims.take("w") is None
    assert "queue     paused" in say("status")[1] and "1 runs, 1 requests of at most 200" in say("status")[1]
    assert say("drain")[0] == 0 and lite.switch.mode() == "drained"
    assert say("open")[0] == 0 and lite.claims.take("w")


def test_runs_are_renamed_removed_restored_and_pinned(say, lite: Store) -> None:  # type: ignore[no-untyped-def]
    run, other = done(lite), done(lite)
    assert say("rename", run, "polite")[0] == 0 and lite.runs.get(run).spec.name == "polite"  # type: ignore[union-attr]
    code, said = say("rename", run, "<b>")
    assert code == 1 and said.startswith("error: name")
    assert say("remove", run, other) == (0, "2 of 2 runs: remove\n") and lite.runs.get(run) is None
    assert say("restore", run)[0] == 0 and lite.runs.get(run)
    assert say("pin", run)[0] == 0 and lite.keeping.oldest(9) == [other]
    assert say("unpin", run)[0] == 0 and lite.keeping.oldest(9) == [run, other]
    code, said = say("remove", "nothing", run)
    assert code == 1 and "there is no run nothing" in said and "1 of 2 runs" in said


def test_reported_texts_are_listed_cleared_and_dismissed(say, lite: Store) -> None:  # type: ignore[no-untyped-def]
    assert say("reports") == (0, "Nothing has been reported.\n")
    rude, fine = done(lite), done(lite)
    for run, note in ((rude, "rude\nwords"), (fine, "fine")):
        lite.labels.change(run, {"note": note})
        lite.complaints.complain("note", run, None, Asker("ada", "home"))
    first, second = (one.number for one in lite.complaints.open())
    assert say("reports")[1].splitlines() == [
        f"text-{first}    1  note of {rude}: rude words",
        f"text-{second}    1  note of {fine}: fine",
    ]
    assert "reports   2\n" in say("status")[1]
    assert say("clear", f"text-{first}") == (0, "1 of 1 reports: clear\n")
    assert say("dismiss", f"text-{second}")[0] == 0 and say("reports")[1] == "Nothing has been reported.\n"
    assert lite.runs.get(rude).note is None and lite.runs.get(fine).note == "fine"  # type: ignore[union-attr]
    code, said = say("clear", "text-99", rude)
    assert code == 1 and "there is no open report of text-99" in said and f"no open report of {rude}" in said


def test_it_is_part_of_the_help() -> None:
    said = subprocess.run([sys.executable, "-m", "jobs", "admin", "--help"], capture_output=True, text=True, check=True)
    assert all(word in said.stdout for word in ("pause", "drain", "open", "remove", "rename", "pin"))
