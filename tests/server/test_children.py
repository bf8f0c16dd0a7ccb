"""A child never outlives the process that started it, however that one ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from server.launch import reaper
from server.launch.supervisor import ChildProcess, Supervisor, environment
from tests.support.services import eventually
from tests.support.system import alive, family, left_after

SLEEP = [sys.executable, "-c", "import time; time.sleep(100)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(100)"]
PARENT = (
    "import sys, time; from server.launch.supervisor import ChildProcess;"
    " ChildProcess(sys.argv[1:], grace=0.5); time.sleep(100)"
)


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    made = ChildProcess(SLEEP, grace=0.5)
    yield made
    made.kill()


def grown(pid: int, size: int) -> list[psutil.Process]:
    """A process and all under it, once there are so many."""
    return eventually(lambda: found if len(found := family(pid)) >= size else [], what="the child")


def with_parent(*command: str) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """A process that has this command as its child, and all three of them."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *command], env=environment())
    everyone = grown(parent.pid, 3)
    return parent, everyone


def test_a_child_that_is_stopped_is_gone_with_its_reaper(child: ChildProcess) -> None:
    everyone = grown(child.group, 2)
    began = time.monotonic()
    child.stop()
    assert not left_after(everyone, 1)
    assert time.monotonic() - began < 30


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace() -> None:
    child = ChildProcess(STUBBORN, grace=0.5)
    everyone = grown(child.group, 2)
    child.stop()
    assert not left_after(everyone, 1)


def test_the_exit_status_is_that_of_the_command() -> None:
    assert ChildProcess([sys.executable, "-c", "raise SystemExit(7)"]).wait(20) == 7
    assert ChildProcess([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).wait(20) == 137
    assert ChildProcess(["/no/such/program"]).wait(20) == 127


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_ends_when_its_parent_does(number: signal.Signals) -> None:
    parent, everyone = with_parent(*SLEEP)
    parent.send_signal(number)
    parent.wait()
    assert not left_after(everyone)


def test_a_child_that_is_stopped_or_deaf_ends_with_its_parent_too() -> None:
    parent, everyone = with_parent(*STUBBORN)
    everyone[-1].suspend()
    parent.kill()
    parent.wait()
    assert not left_after(everyone)


def test_a_child_ends_when_its_reaper_is_killed(child: ChildProcess) -> None:
    everyone = grown(child.group, 2)
    os.kill(child.group, signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    assert not left_after(everyone, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="it is the kernel that helps here")
def test_any_child_ends_when_parent_and_reaper_are_killed_at_once() -> None:
    parent, everyone = with_parent(*SLEEP)
    parent.send_signal(signal.SIGSTOP)  # it must not be the one that cleans up
    everyone[1].kill()
    parent.kill()
    parent.wait()
    assert not left_after(everyone)


def test_a_command_of_ours_ends_when_its_reaper_is_gone_whoever_is_left() -> None:
    follows = "import time; from server.launch import reaper; reaper.follow(); time.sleep(100)"
    ours = subprocess.Popen(
        [sys.executable, "-c", follows], stdin=subprocess.PIPE, env=environment(**{reaper.SUPERVISED: "1"})
    )
    assert ours.stdin is not None
    with pytest.raises(subprocess.TimeoutExpired):
        ours.wait(0.3)
    ours.stdin.close()
    assert ours.wait(10) == -signal.SIGTERM


def test_what_a_child_has_started_ends_with_it() -> None:
    starts_another = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(100)'])"
    parent, everyone = with_parent(sys.executable, "-c", starts_another)
    everyone = grown(parent.pid, 4)
    parent.kill()
    parent.wait()
    assert not left_after(everyone)


def test_a_kept_child_is_started_again_with_growing_pauses(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    note = [sys.executable, "-c", f"import time; open({str(notes)!r}, 'a').write(f'{{time.time()}} ')"]
    kept = Supervisor(
        "noter", ChildProcess(note), lambda: ChildProcess(note), should_restart=lambda status, ended: ended < 3
    )
    eventually(lambda: len(notes.read_text().split()) == 3)
    kept.stop()
    pauses = [float(later) - float(earlier) for earlier, later in pairwise(notes.read_text().split())]
    assert pauses[0] >= 0.5
    assert pauses[1] >= 1


def test_a_kept_child_is_not_started_again_when_it_is_stopped() -> None:
    child = ChildProcess(SLEEP)
    kept = Supervisor("sleeper", child, lambda: ChildProcess(SLEEP), should_restart=lambda status, ended: True)
    everyone = grown(child.group, 2)
    kept.stop()
    assert not left_after(everyone, 2)
    assert not [thread for thread in threading.enumerate() if thread.name == "keep sleeper"]
    assert not alive(everyone)
