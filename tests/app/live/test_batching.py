"""The event loop sleeps once for many who ask, behind those who are here."""

from __future__ import annotations

import asyncio

from app.live.batching import AWAKE_S, REST_S, Pace
from tests.app.conftest import finish


def test_it_sleeps_once_behind_those_who_are_here() -> None:
    done: list[object] = []
    pace = Pace(sleep=done.append)

    async def asks(number: int) -> None:
        pace.rest()
        await asyncio.sleep(0)
        done.append(number)

    async def crowd() -> None:
        await asyncio.gather(*(asks(number) for number in range(5)))
        await asyncio.sleep(0)
        await asks(5)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    finish(crowd())
    assert [told for told in done if told != REST_S] == list(range(6)), "nobody is forgotten"
    assert done.count(REST_S) == 2 and done[-1] == REST_S, "once for the five, once for the last one"
    assert done.index(REST_S) >= 5, "the five did not wait for it"


def test_it_stays_awake_while_others_are_answered_and_a_little_longer() -> None:
    done: list[object] = []
    clock = [10.0]
    pace = Pace(done.append, lambda: clock[0])

    async def turn() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def asks_before_another_comes() -> None:
        pace.rest()
        with pace.awake():
            await turn()
            clock[0] += 10 * AWAKE_S
            pace.rest()
            await turn()
        pace.rest()
        await turn()
        assert not done
        clock[0] += AWAKE_S
        pace.rest()
        await turn()

    finish(asks_before_another_comes())
    assert done == [REST_S]
