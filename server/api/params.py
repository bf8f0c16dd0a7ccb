"""The parameters that routes of the API share."""

from typing import Annotated

from fastapi import Header, Query

Wait = Annotated[float, Query(ge=0, le=60, description="Hold the answer until it is final, at most this many seconds.")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1_000)]
RepeatKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key and body again give the same submission, however often they are sent.",
    ),
]
