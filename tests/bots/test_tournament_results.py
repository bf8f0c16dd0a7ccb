"""What a tournament's report reckons, against scipy and against sums by hand."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bots.tournament.folder import Folder, cells
from bots.tournament.plan import load
from bots.tournament.report import save
from bots.tournament.results import board, bootstrap, outcomes

FILE = """
repeats = 2
[[players]]
name = "<b>& | sharp"
strategy = "greedy"
[[games]]
game = "condense"
passages = ["One.", "Two."]
"""
#: Best bits by player number, repeat and round: of player 2, which is the baseline, nothing was scored once.
BITS: dict[tuple[int, int, int], list[float | None]] = {
    (1, 1, 1): [3.0, 1.0, 8.0], (1, 2, 1): [2.0, 4.0, 4.0], (1, 1, 2): [None, -1.0, 1.0], (1, 2, 2): [0.5],
    (2, 1, 1): [1.0, 1.0, 1.0], (2, 2, 1): [3.0, 2.0, 2.0], (2, 1, 2): [None, None, None], (2, 2, 2): [0.25, 0.0, 0.0],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Of a tournament that was played like this."""
    (tmp_path / "cells").mkdir()
    made = Folder(tmp_path, "cafe")
    for (player, repeat, round_), bits in BITS.items():
        reply = {"kind": "reply", "read": 100, "written": 10, "cost": 0.5}
        lines = [reply] if player == 1 else []
        lines += [
            {"kind": "played", "number": n, "moves": [f"move {n}"], "bits": each, "seconds": 0.5}
            for n, each in enumerate(bits)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / "cells" / f"p{player}-r{repeat}-g{round_}.jsonl").write_text(text)
    (tmp_path / "cells" / "p1-r2-g2.failed").write_text("NoAnswer: <it> is down")
    (tmp_path / "results.csv").write_text("player,round,percent_saved\n<b>& | sharp #1,1,12.5\n")
    return made


def test_the_board_is_what_the_sums_say(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(FILE)
    plan = load(tmp_path / "t.toml")
    first, second = board(plan, outcomes(plan, folder, cells(plan)))
    assert first.player == "<b>& | sharp"
    assert first.beyond is not None
    # Round 1: means of 8 and 4, and of 1 and 3; round 2: of 1 and 0.5, and 0.25 alone.
    assert first.beyond.mean == pytest.approx(((6 - 2) + (0.75 - 0.25)) / 2)
    assert (first.beyond.low, first.beyond.high) == pytest.approx((0.5, 4.0))
    assert first.saved is not None
    assert (first.saved.mean, first.saved.count) == (12.5, 1)
    assert (first.plays, first.given_up, first.unscored) == (10, 1, 0)
    assert (first.read, first.written, first.cost, first.seconds) == (400, 40, 2.0, 5.0)
    assert (second.unscored, second.beyond and second.beyond.mean) == (1, 0.0)


def test_a_report_is_whole_and_what_stands_in_it_is_nobodys_html(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(FILE)
    plan = load(tmp_path / "t.toml")
    html, markdown = save(plan, folder, cells(plan))
    page, text = html.read_text(), markdown.read_text()
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp; | sharp" in page
    assert "NoAnswer: &lt;it&gt; is down" in page
    assert page.count("<svg") == 5
    assert "http" not in page.replace("http://www.w3.org/2000/svg", ""), "nothing is fetched"
    assert r"| 1 | \<b\>\& \| sharp | 2.250 (0.500 to 4.000) |" in text
    for name in [line.split("(")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]:
        assert (tmp_path / name).read_text().startswith("<svg")


@pytest.mark.parametrize("count", [5, 30])
def test_intervals_are_those_of_scipys_bootstrap(count: int) -> None:
    draw = random.Random(count)
    values = [draw.gauss(3, 2) for _ in range(count)]
    ours = bootstrap(values)
    theirs = stats.bootstrap((np.array(values),), np.mean, method="percentile", n_resamples=10_000, rng=1)
    assert ours.mean == pytest.approx(np.mean(values))
    spread = float(np.std(values)) / count**0.5
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.1 * spread)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.1 * spread)
