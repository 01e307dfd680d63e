"""What many ask for at once is made once, and nobody who hangs up or fails spoils it for the others."""

from __future__ import annotations

import asyncio
import threading

from app.web.limits import Limiter
from app.web.shared import Shared
from tests.app.conftest import Clock, finish

KEY = ("room", "what")


class Counted:
    """Makes 1, 2, ... each once `go` is set."""

    def __init__(self) -> None:
        self.made, self.go = 0, threading.Event()
        self.go.set()

    def __call__(self) -> int:
        self.made += 1
        made = self.made
        assert self.go.wait(20)
        return made


def test_many_at_once_have_it_made_once() -> None:
    async def go() -> None:
        clock, make, limiter = Clock(), Counted(), Limiter(1, waiting=0)
        shared: Shared[int] = Shared(1.0, clock)
        assert await asyncio.gather(*(shared.get(KEY, make, limiter) for _ in range(100))) == [1] * 100
        clock.seconds += 0.9
        assert await shared.get(KEY, make, limiter) == 1
        assert await shared.get(("room", "else"), make, limiter) == 2
        clock.seconds += 0.2
        assert await shared.get(KEY, make, limiter) == 3

    finish(go())


def test_who_hangs_up_leaves_the_work_to_the_others() -> None:
    async def go() -> None:
        make, limiter = Counted(), Limiter(1, waiting=0)
        shared: Shared[int] = Shared()
        make.go.clear()
        first, second = (asyncio.create_task(shared.get(KEY, make, limiter)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        make.go.set()
        assert await second == 1 and first.cancelled()

    finish(go())


def test_what_is_out_of_date_is_made_anew_also_while_it_is_being_made() -> None:
    async def go() -> None:
        make, limiter = Counted(), Limiter(2, waiting=0)
        shared: Shared[int] = Shared()
        make.go.clear()
        old = asyncio.create_task(shared.get(KEY, make, limiter))
        while not make.made:
            await asyncio.sleep(0)
        shared.forget("another room")
        shared.forget("room")
        new = asyncio.create_task(shared.get(KEY, make, limiter))
        while make.made < 2:
            await asyncio.sleep(0)
        make.go.set()
        assert (await old, await new) == (1, 2)
        assert await shared.get(KEY, make, limiter) == 2, "what was begun before is not kept"

    finish(go())


def test_an_error_is_told_to_all_and_not_kept() -> None:
    def fail() -> int:
        raise LookupError

    async def go() -> None:
        limiter, make = Limiter(1, waiting=0), Counted()
        shared: Shared[int] = Shared()
        attempts = await asyncio.gather(*(shared.get(KEY, fail, limiter) for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in attempts] == [LookupError] * 3
        assert await shared.get(KEY, make, limiter) == 1

    finish(go())


def test_what_nobody_waits_for_any_more_may_fail() -> None:
    """The event loop says nothing of it, which the tests would take for an error."""

    def fail() -> None:
        raise LookupError

    async def go() -> None:
        shared: Shared[None] = Shared()
        task = asyncio.create_task(shared.get(KEY, fail, Limiter(1, waiting=0)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0.05)

    finish(go())
