"""A signal stops what runs, whatever the main thread does at that moment."""

import os
import signal

import pytest

from server.launch.http_server import STOP_SIGNALS, Shutdown


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_in_the_midst_of_waiting_for_the_stop_is_heard(number: int) -> None:
    stop = Shutdown()
    ours = signal.signal(number, signal.SIG_DFL)  # whoever runs the tests may ignore it, as nohup does
    with stop.on_signals():
        # What `event.wait` holds for a moment before and after it sleeps.
        with stop.event._cond:  # type: ignore[attr-defined]
            os.kill(os.getpid(), number)
        heard = stop.event.wait(10)
    after = signal.signal(number, ours)
    assert heard
    assert after is signal.SIG_DFL


def test_without_a_signal_nothing_stops() -> None:
    stop = Shutdown()
    with stop.on_signals():
        pass
    assert not stop.event.is_set()
