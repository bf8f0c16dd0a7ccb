"""The benchmark of a judge still runs, and says what it is asked for."""

from __future__ import annotations

import json

import pytest

from benchmarks.judge import main


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_run_gives_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--model", "pocket", "--dtype", "float32", "--dtype", "bfloat16", "--runs", "1", "--most", "8", "--json"])
    narrow, wide = sorted(json.loads(capsys.readouterr().out), key=lambda report: str(report["dtype"]))
    for report in (narrow, wide):
        assert {"ours 1", "ours 8", "loop", "batch 8", "lone forward", "matrix plain"} <= report["ms_per_job"].keys()
        assert all(len(runs) == 1 and runs[0] > 0 for runs in report["ms_per_job"].values())
        for ratio in ("share of the matrix rate", "times loop", "times batch, the best"):
            middle, least, greatest = report["ratios"][ratio]
            assert 0 < least == middle == greatest
        assert report["peak_mib"].keys() == {"1", "8"}
        assert all(20 < mib < 10_000 for mib in report["peak_mib"].values())
        assert len(report["ms_by_passage_tokens"]) == 4
        assert report["changed"] == [0, 8]
    assert narrow["ratios"]["times ours in float32"][0] > 0
    assert "times ours in float32" not in wide["ratios"]
