"""What the lab and games at home say, as data frames of pandas. Needs the extra `frames`, which `require` looks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from xentarena.extras import require

require("frames")

import pandas as pd  # noqa: E402 (who lacks it is told how to get it)

if TYPE_CHECKING:
    from judge.reading import Reading
    from judge.samples import Sample
    from xentarena.models import Outcome


def tokens(readings: Mapping[str, Reading] | Iterable[Reading]) -> pd.DataFrame:
    """A row for each token: `reading` (its name, or its number from 0), `place` from 0, `text`, `bits`, `rank`,
    `entropy`, and `likeliest`, the text of the likeliest token there."""
    rows = [
        {
            "reading": name,
            "place": place,
            "text": each.text,
            "bits": each.bits,
            "rank": each.rank,
            "entropy": each.entropy,
            "likeliest": each.top[0].text if each.top else None,
        }
        for name, reading in _named(readings)
        for place, each in enumerate(reading.tokens)
    ]
    return pd.DataFrame(rows, columns=["reading", "place", "text", "bits", "rank", "entropy", "likeliest"])


def texts(readings: Mapping[str, Reading] | Iterable[Reading]) -> pd.DataFrame:
    """A row for each reading: `reading`, `tokens`, `bytes`, `bits`, `bits_per_byte`, `perplexity`, `entropy`."""
    told = ("bytes", "bits", "bits_per_byte", "perplexity", "entropy")
    rows = [
        {"reading": name, "tokens": len(each.tokens), **{what: getattr(each, what) for what in told}}
        for name, each in _named(readings)
    ]
    return pd.DataFrame(rows, columns=["reading", "tokens", *told])


def steps(samples: Mapping[str, Sample] | Iterable[Sample]) -> pd.DataFrame:
    """A row for each token that was written: `sample` (its name, or its number from 0), `place` from 0, `text`,
    `before`, `after`, `kept`, `mass`, `entropy`, `entropy_after`, `repeats`, `bits`."""
    columns = ["text", "before", "after", "kept", "mass", "entropy", "entropy_after", "repeats"]
    rows = []
    for name, sample in _named(samples):
        for place, step in enumerate(sample.steps):
            said: dict[str, Any] = {what: getattr(step, what) for what in columns}
            rows.append({"sample": name, "place": place, **said, "bits": step.bits})
    return pd.DataFrame(rows, columns=["sample", "place", *columns, "bits"])


def plays(outcomes: Mapping[str, Outcome] | Iterable[Outcome]) -> pd.DataFrame:
    """A row for each play and seat: `play` (its name, or its number from 0), `status`, `seat`, `bits`; of a play that
    has no rewards one row with none."""
    rows = [
        {"play": name, "status": each.status, "seat": seat, "bits": bits}
        for name, each in _named(outcomes)
        for seat, bits in (each.rewards.items() or [(None, None)])
    ]
    return pd.DataFrame(rows, columns=["play", "status", "seat", "bits"])


def _named(values: Any) -> Iterable[tuple[Any, Any]]:
    return values.items() if isinstance(values, Mapping) else enumerate(values)
