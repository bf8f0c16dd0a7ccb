"""What only looks waits for others in turn: each participant has a line of their own."""

import asyncio
import threading
import time
from functools import partial

import pytest

from server.http.fair_threads import FairThreads
from tests.support.services import eventually


def test_one_of_each_participant_is_taken_in_turn() -> None:
    begun, go_on = list[str](), threading.Event()

    def look(name: str) -> str:
        begun.append(name)
        go_on.wait(30)
        return name

    async def work() -> list[str]:
        threads = FairThreads(1, "readers")
        asked = [threads.run("bot", lambda number=number: look(f"bot {number}")) for number in range(50)]  # type: ignore[misc]
        tasks = [asyncio.ensure_future(each) for each in (*asked, threads.run("ada", lambda: look("ada")))]
        await asyncio.sleep(0)  # all of them stand in their lines
        go_on.set()
        found = await asyncio.gather(*tasks)
        threads.close()
        return found

    found = asyncio.run(work())
    assert found == [*(f"bot {number}" for number in range(50)), "ada"]
    assert begun.index("ada") <= 2
    assert len(begun) == 51


def test_who_asks_for_little_goes_before_who_asked_for_much() -> None:
    """By processor time, not by turns: six of Ada's looks cost less than one of the bot's."""
    begun = list[str]()

    def compute(name: str, seconds: float) -> None:
        begun.append(name)
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass

    async def work() -> None:
        threads = FairThreads(1, "readers")
        tasks = [threads.run("bot", lambda: compute("bot", 0.2)) for _ in range(3)]
        tasks += [threads.run("ada", lambda: compute("ada", 0.01)) for _ in range(6)]
        await asyncio.gather(*tasks)
        assert begun[:7] in (["bot", *["ada"] * 6], ["ada", "bot", *["ada"] * 5]), begun
        # Who has asked for nothing meanwhile has saved nothing up.
        begun.clear()
        await asyncio.gather(
            *(threads.run("ada", lambda: compute("ada", 0.01)) for _ in range(2)),
            *(threads.run("cleo", lambda: compute("cleo", 0.01)) for _ in range(2)),
        )
        assert sorted(begun[:2]) == ["ada", "cleo"], begun
        threads.close()

    asyncio.run(work())


def test_while_somebody_plays_one_thread_looks() -> None:
    at_work, most, go_on = set[str](), list[int](), threading.Event()

    def look(name: str) -> None:
        at_work.add(name)
        most.append(len(at_work))
        go_on.wait(30)
        at_work.discard(name)

    async def work() -> None:
        threads = FairThreads(3, "readers")
        with threads.giving_way():
            tasks = [asyncio.ensure_future(threads.run(name, partial(look, name))) for name in ("a", "b", "c")]
            await asyncio.to_thread(eventually, lambda: most)
            await asyncio.sleep(0.05)
            assert most == [1]
        await asyncio.to_thread(eventually, lambda: len(most) == 3)  # nobody plays now: the others begin by themselves
        go_on.set()
        await asyncio.gather(*tasks)
        threads.close()

    asyncio.run(work())
    assert most == [1, 2, 3]


def test_what_fails_or_is_no_longer_wanted_holds_up_nobody() -> None:
    def fail() -> None:
        raise ValueError("wrong")

    async def work() -> None:
        threads, go_on = FairThreads(1, "readers"), threading.Event()
        first = asyncio.ensure_future(threads.run("ada", lambda: go_on.wait(30)))
        gone = asyncio.ensure_future(threads.run("bob", lambda: pytest.fail("nobody waits for this")))
        wrong = asyncio.ensure_future(threads.run("cleo", fail))
        last = asyncio.ensure_future(threads.run("dot", lambda: 4))
        await asyncio.sleep(0)
        gone.cancel()
        go_on.set()
        assert await first
        with pytest.raises(ValueError, match="wrong"):
            await wrong
        assert await last == 4
        threads.close()

    asyncio.run(work())
