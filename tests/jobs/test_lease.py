"""The rules of holding a run, without a database."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

from jobs.lease import MAX_CRASHES, WAITS_S, Identity, Running, Troubles, Watch, next_state


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_ends_when_the_beat_stands_still_for_long_enough() -> None:
    clock = Clock()
    watch = Watch(30, clock)
    run = Running("a", 1, "w", beat=5)
    assert watch.expired([run]) == []  # however old its last beat is: this reaper sees it for the first time
    clock.now += 29
    assert watch.expired([run]) == []
    clock.now += 1
    assert watch.expired([run]) == [run]


def test_a_beat_or_a_new_attempt_begins_a_new_lease() -> None:
    clock = Clock()
    watch = Watch(30, clock)
    run = Running("a", 1, "w", beat=5)
    watch.expired([run])
    clock.now += 29
    alive = dataclasses.replace(run, beat=6)
    assert watch.expired([alive]) == []
    clock.now += 29
    assert watch.expired([alive]) == []
    clock.now += 29
    assert watch.expired([dataclasses.replace(run, attempt=2, beat=6)]) == []
    assert watch.expired([]) == []


def test_this_process_is_not_dead_and_one_that_ended_is() -> None:
    me = Identity.of_this_process()
    assert not me.is_surely_dead()
    child = subprocess.run(
        [sys.executable, "-c", "from jobs.lease import Identity; i = Identity.of_this_process(); print(i.pid, i.born)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    pid, born = child.stdout.split()
    assert dataclasses.replace(me, pid=int(pid), born=born).is_surely_dead()


def test_a_process_number_that_was_given_out_again_does_not_deceive() -> None:
    assert dataclasses.replace(Identity.of_this_process(), born="1").is_surely_dead()


def test_nobody_judges_a_process_of_another_machine() -> None:
    gone = dataclasses.replace(Identity.of_this_process(), born="1")
    assert not dataclasses.replace(gone, boot="another boot").is_surely_dead()
    assert not dataclasses.replace(gone, host="another-host").is_surely_dead()
    assert not dataclasses.replace(gone, boot=None).is_surely_dead()


def test_identities_differ() -> None:
    assert Identity.of_this_process().name != Identity.of_this_process().name


def test_troubles_count_until_the_run_gets_further() -> None:
    troubles = Troubles().after(None, crash=True).after(None, crash=True)
    assert (troubles.crashes, troubles.hopeless(), troubles.hopeless(2)) == (2, False, True)
    assert troubles.after(None, crash=True).hopeless(3)
    assert not troubles.after(10, crash=True).hopeless(3)
    assert troubles.after(10, crash=True).after(10, crash=True).after(10, crash=True).hopeless(3)


def test_a_run_waits_longer_after_each_crash() -> None:
    troubles, waits = Troubles(), []
    for _ in range(MAX_CRASHES):
        waits.append(troubles.wait_s)
        troubles = troubles.after(None, crash=True)
    assert waits == [0.0, *WAITS_S] and sum(waits) > 40, "what kills it may pass"
    assert Troubles(4, 0, 10).after(20, crash=True).wait_s == 0.0, "one that has got on goes on at once"


def test_what_becomes_of_a_run() -> None:
    assert next_state(Troubles(), cancel_requested=False) == "queued"
    assert next_state(Troubles(crashes=MAX_CRASHES), cancel_requested=False) == "failed"
    assert next_state(Troubles(crashes=MAX_CRASHES), cancel_requested=True) == "cancelled"
