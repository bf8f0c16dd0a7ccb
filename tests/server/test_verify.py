"""`xentarena verify`: what it says of good receipts, of altered ones, and of what is no receipt."""

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from judge.codec import pack_bits
from judge.judge import Judge, Pair
from server.cli import main
from server.queue.messages import Job
from tests.support.scenario.deployment import answer
from tests.support.server import Json, RunningApp, new_class
from tests.support.services import eventually
from tests.support.workers import FakeJudge, at_work
from xentarena import InputError, receipts, verify

KEYS = ("key", "public_key", "algorithm", "signature")


@dataclass(frozen=True)
class Real(FakeJudge):
    """A judge with a model, served by a worker of the tests."""

    model: Judge | None = None

    @property
    def identity(self) -> str:
        return str(self.info()["identity"])

    def info(self) -> dict[str, Any]:
        assert self.model is not None
        return self.model.info()

    def say(self, job: Job) -> list[float]:
        assert self.model is not None
        return self.model.measure([Pair(job.prefix, job.text, job.profile)])[0]


@pytest.fixture(scope="module")
def scored(sqlite_house: RunningApp) -> tuple[Json, Json]:
    """A receipt whose bits are those of pocket, and the server's keys."""
    pocket = Real("pocket", model=Judge.load("pocket"))
    with at_work(sqlite_house.redis_url, pocket, says=pocket.say):
        eventually(lambda: sqlite_house.measurable(pocket), what="pocket")
        lesson = new_class(sqlite_house, pocket)
        ada = lesson.join("Ada")
        made = ada.score(lesson.round_id, "sea and ships")
        receipt = answer(ada.get(f"/submissions/{made['id']}/receipt"))
    return receipt, answer(sqlite_house.anyone.get("/keys"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run_(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["xentarena", "verify", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run_


def resigned(receipt: Json, **changed: Any) -> Json:
    """What somebody would make of a receipt who signs it with a key of their own."""
    document = {name: value for name, value in receipt.items() if name not in KEYS} | changed
    return receipts.signed(document, Ed25519PrivateKey.generate())


def looked_at(receipt: Json, *judges: str) -> verify.Verdict:
    return verify.verify(json.dumps(receipt), judges=judges)


def test_the_judge_says_the_same_again(scored: tuple[Json, Json]) -> None:
    found = looked_at(scored[0], "pocket")
    (judge,) = found.measured
    assert found.good
    assert (judge.measurements, judge.equal, judge.furthest) == (2, 2, 0.0)
    assert found.again == found.millibits == scored[0]["millibits"]


def test_a_server_that_made_bits_up_is_found_out_by_the_judge(scored: tuple[Json, Json]) -> None:
    receipt = scored[0]
    play = json.loads(json.dumps(receipt["play"]))
    (alone,) = [each for each in play["measurements"] if each["prefix"] == min(
        (one["prefix"] for one in play["measurements"]), key=len)]  # fmt: skip
    bits = receipts.recorded(receipts.read(json.dumps(receipt))[1])
    (old,) = [value for asked, value in bits.items() if asked.prefix == alone["prefix"]]
    alone["bits"] = receipts.packed(pack_bits([old[0] + 8, *old[1:]]))
    more = receipts.computed(receipts.read_document({**receipt, "play": play}))
    forged = resigned(receipt, play=play, rewards=more, millibits=more["black"])
    assert forged["millibits"] > receipt["millibits"] + 7_000
    assert looked_at(forged).good, "it is signed, and its numbers fit one another"
    found = looked_at(forged, "pocket")
    assert not found.good
    assert found.measured[0].furthest == pytest.approx(8, abs=0.001)
    assert found.again == pytest.approx(receipt["millibits"], abs=1)


def test_a_score_that_its_measurements_do_not_give_is_found_out(scored: tuple[Json, Json]) -> None:
    found = looked_at(resigned(scored[0], millibits=99_000, rewards={"black": 99_000}))
    assert (found.signed, found.score, found.good) == (True, "different", False)


@pytest.mark.parametrize("what", ["moves", "passages", "tokens", "measurements", "source"])
def test_a_receipt_that_lacks_something_cannot_be_computed(scored: tuple[Json, Json], what: str) -> None:
    receipt = scored[0]
    changed = {"program": {**receipt["program"], "source": "reward(1)\n"}}
    found = looked_at(resigned(receipt, **(changed if what == "source" else {"play": {**receipt["play"], what: []}})))
    assert not found.good
    assert found.score is None
    assert found.why


def with_second(receipt: Json) -> Json:
    """As if pocket, which gave the score, had been the second judge too."""
    names = ("moves", "tokens", "measurements", "left_after")
    told = {name: receipt[name] for name in ("judges", "millibits", "rewards", "build")}
    second = told | {name: receipt["play"][name] for name in names} | {"profile": receipt["round"]["profile"]}
    return {**receipt, "version": 3, "second": second}


@pytest.mark.slow
def test_what_a_second_judge_gave_is_looked_at_too(scored: tuple[Json, Json], run: Any) -> None:
    both = with_second(scored[0])
    found = looked_at(resigned(both), "pocket")
    assert found.good
    assert found.second is not None
    assert (found.second.score, found.second.again) == ("same", found.millibits)
    assert found.measured[0].measurements == 4
    wrong = resigned({**both, "second": {**both["second"], "millibits": 99_000}})
    found = looked_at(wrong)
    assert found.second is not None
    assert (found.score, found.second.score, found.good) == ("same", "different", False)
    status, out, _ = run("-", stdin=json.dumps(wrong).encode())
    assert status == 1
    assert "second judge pocket: 99.000 bits: WRONG" in out
    assert not looked_at({**both, "second": {**both["second"], "millibits": 99_000}}).signed


def test_a_judge_of_other_weights_is_refused(scored: tuple[Json, Json]) -> None:
    with pytest.raises(InputError, match="none of those that scored"):
        looked_at(scored[0], "pocket-backward")


def test_the_command_says_what_it_looked_at(scored: tuple[Json, Json], run: Any, tmp_path: Path) -> None:
    receipt, keys = scored
    (tmp_path / "receipt.json").write_text(json.dumps(receipt, indent=2))
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    file = str(tmp_path / "receipt.json")
    status, out, _ = run(file)
    assert status == 0
    assert "signature: good" in out
    assert "key: not checked" in out
    assert "judge: not asked" in out
    status, out, _ = run(file, "--key", str(tmp_path / "keys.json"), "--judge", "pocket")
    assert status == 0
    assert "key: one of those" in out
    assert "2 of 2 measurements are equal to the last bit" in out
    status, out, _ = run("-", "--key", keys["items"][0]["id"], "--json", stdin=json.dumps(receipt).encode())
    assert (status, json.loads(out)["key_known"], json.loads(out)["good"]) == (0, True, True)
    status, out, _ = run(file, "--key", "0" * 64)
    assert status == 1
    assert "key: WRONG" in out


def test_the_command_ends_badly_for_a_receipt_that_is_not_good(scored: tuple[Json, Json], run: Any) -> None:
    altered = json.dumps({**scored[0], "millibits": 1}).encode()
    status, out, _ = run("-", stdin=altered)
    assert status == 1
    assert "signature: WRONG" in out
    lacking = resigned(scored[0], complete=False, because="hidden", missing=["moves"])
    status, out, _ = run("-", stdin=json.dumps(lacking).encode())
    assert status == 1
    assert "score: not checked: the receipt is not complete: it lacks moves" in out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "cannot be read as JSON"),
        (b"{", "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b'{"type": "xentarena-receipt", "type": 1}', "a name stands twice"),
        (b'{"type": "xentarena-receipt", "version": 1.5}', "1.5 is no whole number"),
        (b"[]", "this is no receipt"),
        (b'{"type": "a bill"}', "this is no receipt"),
        (b'{"type": "xentarena-receipt", "version": 4}', "is of version 4"),
        (b'{"type": "xentarena-receipt", "version": 1}', "this receipt is damaged: Field required at /"),
    ],
)
def test_what_is_no_receipt_is_refused_in_one_line(run: Any, text: bytes, told: str) -> None:
    status, out, err = run("-", stdin=text)
    assert (status, out) == (1, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_files_that_cannot_be_used_are_named(scored: tuple[Json, Json], run: Any, tmp_path: Path) -> None:
    receipt = json.dumps(scored[0]).encode()
    (tmp_path / "other.json").write_text('{"items": [{"id": "1"}]}')
    for arguments, told in (
        ((str(tmp_path / "none.json"),), "cannot read"),
        (("-", "--key", str(tmp_path / "none.json")), "cannot read the keys"),
        (("-", "--key", str(tmp_path / "other.json")), "holds no keys"),
        (("-", "--judge", str(tmp_path)), "judge"),
    ):
        status, out, err = run(*arguments, stdin=receipt)
        assert (status, out) == (1, "")
        assert told in err
        assert len(err.splitlines()) == 1
