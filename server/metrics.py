"""What Prometheus is told."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

#: prometheus_client: the folder where each of several processes at one address keeps its figures, so that any of them
#: can tell those of all. It looks when it is imported.
FIGURES = "PROMETHEUS_MULTIPROC_DIR"

ACCEPTED = Counter("xentarena_submissions_accepted", "Moves and seats accepted", ["kind"])
REFUSED = Counter("xentarena_refused", "Requests refused", ["type"])
SETTLED = Counter("xentarena_measurements_settled", "Results turned into rows", ["state"])
LATE = Counter("xentarena_results_late", "Results that came again, or too late, and changed nothing")
REQUEUED = Counter("xentarena_jobs_requeued", "Jobs that the queue had lost and got again")
LOOP_ERRORS = Counter("xentarena_loop_errors", "Unforeseen errors in the referee or the sweeper")
NEWEST: Literal["livemostrecent"] = "livemostrecent"  # of what every process looks at
DEPTH = Gauge("xentarena_queue_depth", "Jobs that no worker has finished", ["judge"], multiprocess_mode=NEWEST)
AGE = Gauge(
    "xentarena_queue_age_seconds",
    "How long the measurement that waits longest waits",
    ["judge"],
    multiprocess_mode=NEWEST,
)
WORKERS = Gauge("xentarena_workers", "Live workers", ["judge"], multiprocess_mode=NEWEST)
STREAMS = Gauge("xentarena_event_streams", "Open event streams", multiprocess_mode="livesum")
REQUESTS = Histogram("xentarena_request_seconds", "Time to answer", ["method", "route", "status"])


def told() -> bytes:
    """In Prometheus' text format."""
    if FIGURES not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_the_dead() -> None:
    """Processes that are gone have no streams open any more; what they counted stays."""
    for file in Path(os.environ.get(FIGURES, os.devnull)).glob("gauge_live*_*.db"):
        with suppress(ValueError):
            pid = int(file.stem.rpartition("_")[2])
            if not _lives(pid):
                mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
