"""Names of judges mean what is packaged, what was there first, or what a host has accepted."""

from dataclasses import dataclass

import pytest

from judge.loading.identity import identity
from judge.loading.named import NAMED
from judge.loading.packages.catalog import PACKAGES
from judge.loading.packages.store import is_installed
from judge.loading.source import PACKAGED, begin_token, find
from tests.support.hired import hired, honest
from tests.support.scenario.deployment import answer
from tests.support.server import RunningApp, problem
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import FakeJudge


@dataclass(frozen=True)
class Namesake(FakeJudge):
    """A judge of any name with an identity of its own."""

    own: str = ""

    @property
    def identity(self) -> str:
        return f"{self.own:0<16}-{self.name}"


def meant(house: RunningApp, name: str) -> str | None:
    found = house.anyone.get(f"/judges/{name}")
    return str(answer(found)["identity"]) if found.status_code == 200 else None


def known(house: RunningApp, judge: FakeJudge) -> str:
    return str(answer(house.anyone.get(f"/judges/{judge.identity}"))["name"])


@pytest.mark.parametrize("lent", [False, True], ids=["own", "lent"])
def test_a_packaged_name_is_nobody_elses(house: RunningApp, visitor: Visitor, lent: bool) -> None:
    false = Namesake("pocket", own=f"false-{lent}")
    with hired(house, false, honest, lent=lent):
        assert meant(house, "pocket") is None
        assert known(house, false) == f"pocket@{false.identity[:12]}"
        problem(house.host.post(f"/judges/{false.identity}:accept"), 409, "packaged-name")
        visitor.sign_in(house.host)
        assert "is a packaged judge, and is another one: it does not get" in text_of(visitor.get("/host/judges"))


def test_a_name_is_the_first_s_until_a_host_accepts_another(house: RunningApp, visitor: Visitor) -> None:
    first, second = Namesake("ours", own="first"), Namesake("ours", own="second")
    with hired(house, first, honest):
        assert meant(house, "ours") == first.identity, "unasked"
    with hired(house, second, honest):
        assert meant(house, "ours") == first.identity
        visitor.sign_in(house.host)
        assert "Rounds that name ours do not mean it before you accept it." in text_of(visitor.get("/host/judges"))
        visitor.send("/host/judges/accept", name=second.identity)
        assert meant(house, "ours") == second.identity
        assert known(house, first) == f"ours@{first.identity[:12]}"
    assert '"judge.accept"' in house.host.get("/audit.jsonl").text


def test_what_a_lent_machine_brings_waits_for_a_host_or_for_one_of_our_own(house: RunningApp) -> None:
    new, other = Namesake("brought", own="new"), Namesake("also-brought", own="other")
    with hired(house, new, honest, lent=True), hired(house, other, honest, lent=True):
        assert meant(house, "brought") is None
        answer(house.host.post(f"/judges/{new.identity}:accept"))
        assert meant(house, "brought") == new.identity
        with hired(house, other, honest):
            eventually(lambda: meant(house, "also-brought") == other.identity, what="its name")


def test_packaged_names_mean_the_packaged_judges() -> None:
    for name in PACKAGED:
        assert NAMED[name] == identities(name)
    for name in NAMED.keys() - PACKAGED.keys():
        assert name in PACKAGES
        if is_installed(name):
            assert NAMED[name] == identities(name)


def identities(name: str) -> tuple[str, ...]:
    source = find(name)
    bos = begin_token(source, source.config["vocab_size"])
    ways = [("float32", "cpu"), ("bfloat16", "cpu"), ("bfloat16", "cuda")]
    return tuple(identity(source, bos=bos, dtype=dtype, device_kind=device) for dtype, device in ways)
