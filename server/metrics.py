"""What Prometheus is told."""

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter("xentarena_submissions_accepted", "Moves and seats accepted", ["kind"])
REFUSED = Counter("xentarena_refused", "Requests refused", ["type"])
SETTLED = Counter("xentarena_measurements_settled", "Results turned into rows", ["state"])
LATE = Counter("xentarena_results_late", "Results that came again, or too late, and changed nothing")
REQUEUED = Counter("xentarena_jobs_requeued", "Jobs that the queue had lost and got again")
LOOP_ERRORS = Counter("xentarena_loop_errors", "Unforeseen errors in the referee or the sweeper")
DEPTH = Gauge("xentarena_queue_depth", "Jobs that no worker has finished", ["judge"])
WORKERS = Gauge("xentarena_workers", "Live workers", ["judge"])
STREAMS = Gauge("xentarena_event_streams", "Open event streams")
REQUESTS = Histogram("xentarena_request_seconds", "Time to answer", ["method", "route", "status"])
