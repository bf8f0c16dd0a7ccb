"""The benchmark of a judge still runs, and says what it is asked for; that of twins calls a difference what it is."""

from __future__ import annotations

import json
from statistics import stdev

import pytest

from benchmarks.arrow import Pair, verdict
from benchmarks.judge import main

T_OF_TWO = 4.302653  # Student's quantile at 97.5 % with two degrees of freedom, from a table


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "dtypes", [["float32"], pytest.param(["float32", "bfloat16"], marks=pytest.mark.exhaustive)], ids=" ".join
)
def test_one_run_gives_every_figure(capsys: pytest.CaptureFixture[str], dtypes: list[str]) -> None:
    flags = [flag for dtype in dtypes for flag in ("--dtype", dtype)]
    main(["--model", "pocket", *flags, "--runs", "1", "--most", "8", "--json"])
    reports = json.loads(capsys.readouterr().out)
    assert [report["dtype"] for report in reports] == dtypes
    for report in reports:
        assert {"ours 1", "ours 8", "loop", "batch 8", "lone forward", "matrix plain"} <= report["ms_per_job"].keys()
        assert all(len(runs) == 1 and runs[0] > 0 for runs in report["ms_per_job"].values())
        for ratio in ("share of the matrix rate", "times loop", "times batch, the best"):
            middle, least, greatest = report["ratios"][ratio]
            assert 0 < least == middle == greatest
        assert report["peak_mib"].keys() == {"1", "8"}
        assert all(20 < mib < 10_000 for mib in report["peak_mib"].values())
        assert len(report["ms_by_passage_tokens"]) == 4
        assert report["changed"] == [0, 8]
        assert ("times ours in float32" in report["ratios"]) == (report["dtype"] == "bfloat16")


def test_twins_are_judged_by_the_interval_over_their_seeds() -> None:
    def told(language: str, *percents: float) -> str:
        pairs = [Pair(language, seed, 2.0, 2.0 * (1 + each / 100)) for seed, each in enumerate(percents)]
        found = verdict(language, pairs)
        assert found["percent"] == pytest.approx(sum(percents) / len(percents))
        assert found["low"] == pytest.approx(found["percent"] - T_OF_TWO * stdev(percents) / 3**0.5)
        return str(found["verdict"])

    assert told("dna", 0.1, 0.0, -0.1) == "the same, to within 0.5 %"
    assert told("dna", 0.3, 0.25, 0.2) == "the same, to within 0.5 %"
    assert told("dna", 1.0, 0.0, -1.0) == "not told apart"
    assert told("primes", 5.0, 5.1, 4.9) == "forward is easier"
    assert told("primes", -5.0, -5.1, -4.9) == "backward is easier"
