"""Hooks of schemathesis: it knows what there is in the class that it asks about, and waits for nothing.

It runs in an environment of its own, so this file imports nothing of ours. XENTARENA_KNOWN: a JSON object, name of a
parameter or of a field → values that exist.
"""

import json
import os
import random
from typing import Any

import schemathesis  # type: ignore[import-not-found, unused-ignore]

KNOWN = json.loads(os.environ["XENTARENA_KNOWN"])
OFTEN = 0.6  # of the requests; the others ask for what is not there
LONGEST = 0.2  # seconds that an answer is held
DRAW = random.SystemRandom()  # schemathesis minds its own seed


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Put what exists in the place of made-up ids; let no answer be held, and no stream be opened."""
    for there in (case.path_parameters, case.query, case.body):
        if isinstance(there, dict):
            _name(there)
    if isinstance(case.query, dict) and _is_number(case.query.get("wait")):
        case.query["wait"] = min(LONGEST, float(case.query["wait"]))
    if case.operation.definition.raw.get("operationId") == "list_events":
        case.query = {"after": 0, **(case.query or {})}


def _name(there: dict[str, Any]) -> None:
    for name in KNOWN.keys() & there.keys():
        if DRAW.random() < OFTEN:
            there[name] = DRAW.choice(KNOWN[name])


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
