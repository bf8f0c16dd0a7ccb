"""What only looks waits for others in turn: each participant has a line of their own."""

import asyncio
import threading

import pytest

from server.http.fair_threads import FairThreads


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
