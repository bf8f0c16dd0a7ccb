"""Is a receipt what it says it is, and is its score what its judge gives? What `xentarena verify` asks.

Imports no judge before one is to measure again.
"""

import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from games.protocol import MAIN, Measurement
from xentarena import receipts
from xentarena.errors import InputError
from xentarena.extras import require
from xentarena.receipts import NotComputable, Receipt

if TYPE_CHECKING:
    from judge.judge import Judge

#: How far two machines may be apart in a token, in bits, and still have measured the same.
TOLERANCE = 0.001


class Measured(BaseModel):
    """What a judge says now. judge: its name. equal: how many measurements came out to the last bit. furthest: bits
    between then and now, in the token where that is most."""

    judge: str
    identity: str
    build: str
    measurements: int
    equal: int
    furthest: float


class SecondVerdict(BaseModel):
    """The same of what the round's second judge gave. judge: its name."""

    judge: str
    millibits: int
    score: Literal["same", "different"] | None = None
    why: str | None = None
    again: int | None = None


class Verdict(BaseModel):
    """What was found. good: everything that was looked at is as it should be, and the score could be computed.

    signed: is the signature that of the key in the receipt? key_known: is that key one of those that were given? null:
    none was. score: what the recorded measurements lead to; null where that was not looked at, or cannot be (`why`).
    measured: a judge each that measured again. again, in millibits: the score by those. second: null where the receipt
    tells of no second judge.
    """

    good: bool
    submission: str
    player: str
    seat: str
    millibits: int
    signed: bool
    key: str
    key_known: bool | None
    score: Literal["same", "different"] | None = None
    why: str | None = None
    measured: list[Measured] = []
    again: int | None = None
    second: SecondVerdict | None = None


def verify(text: str | bytes, keys: Collection[str] | None = None, judges: Sequence[str] = ()) -> Verdict:
    """Look at a receipt. keys: fingerprints of the keys that are trusted. judges: names of those to measure with again.

    Raises `InputError` for what is no receipt, and for a judge that is none of the receipt's.
    """
    document, receipt = receipts.read(text)
    second = receipts.under_second(receipt)
    verdict = Verdict(
        good=False,
        submission=receipt.submission,
        player=receipt.player.name,
        seat=receipt.seat,
        millibits=receipt.millibits,
        signed=receipts.is_signed(document),
        key=receipt.key,
        key_known=None if keys is None else receipt.key in keys,
    )
    looks: list[tuple[Verdict | SecondVerdict, Receipt]] = [(verdict, receipt)]
    if second is not None:
        verdict.second = SecondVerdict(judge=second.judges[MAIN].name, millibits=second.millibits)
        looks.append((verdict.second, second))
    if verdict.signed:
        for told, of in looks:
            _look_at_score(told, of)
    if verdict.score is not None and judges:
        _measure_again(verdict, looks, judges)
    near = all(each.furthest <= TOLERANCE for each in verdict.measured)
    whole = all(told.score == "same" and (not judges or told.again is not None) for told, _ in looks)
    verdict.good = verdict.signed and verdict.key_known is not False and whole and near
    return verdict


def trusted(given: str) -> set[str]:
    """The fingerprints that `given` names: one itself, or the file that a server gives at `/api/v1/keys`.

    Raises `InputError`.
    """
    if re.fullmatch("[0-9a-f]{64}", given):
        return {given}
    try:
        items = json.loads(Path(given).read_bytes())["items"]
        return {receipts.fingerprint(bytes.fromhex(item["public_key"])) for item in items}
    except OSError as error:
        raise InputError(f"cannot read the keys in {given}: {error.strerror}") from None
    except (ValueError, LookupError, TypeError):
        raise InputError(f"{given} holds no keys: save what the server gives at /api/v1/keys") from None


def _look_at_score(verdict: Verdict | SecondVerdict, receipt: Receipt) -> None:
    if not receipt.complete:
        lacking = ", ".join(receipt.missing)
        told = "they were hidden from whoever asked for it" if receipt.because == "hidden" else "the server lost them"
        verdict.why = f"the receipt is not complete: it lacks {lacking}; {told}"
        return
    try:
        same = receipts.computed(receipt) == receipt.rewards and receipt.rewards.get(receipt.seat) == receipt.millibits
        verdict.score = "same" if same else "different"
    except NotComputable as error:
        verdict.why = str(error)


def _measure_again(
    verdict: Verdict, looks: Sequence[tuple[Verdict | SecondVerdict, Receipt]], judges: Sequence[str]
) -> None:
    now = [receipts.recorded(receipt) for _, receipt in looks]
    try:
        for name in dict.fromkeys(judges):
            found, bits = _measured(name, [receipt for _, receipt in looks])
            verdict.measured.append(found)
            now = [known | more for known, more in zip(now, bits, strict=True)]
    except NotComputable as error:
        verdict.why = str(error)
        return
    for (told, receipt), known in zip(looks, now, strict=True):
        try:
            told.again = receipts.computed(receipt, known).get(receipt.seat)
        except NotComputable as error:
            told.why = str(error)


def _measured(name: str, looks: Sequence[Receipt]) -> tuple[Measured, list[dict[Measurement, list[float]]]]:
    """What the judge of this name says of the measurements that are its own, of the score and of the second judge's."""
    require("judge", packages=("judge",))
    from xentarena import offline

    known = {each.identity: each.dtype for receipt in looks for each in receipt.judges.values()}
    judge = offline.matching(name, looks[0].round.profile, known)
    shown = {"judge": judge.name, "identity": judge.identity, "build": judge.build}
    told = Measured.model_validate({**shown, "measurements": 0, "equal": 0, "furthest": 0.0})
    return told, [_measured_of(judge, receipt, told) for receipt in looks]


def _measured_of(judge: "Judge", receipt: Receipt, told: Measured) -> dict[Measurement, list[float]]:
    """Also counts in `told` how they differ from those recorded."""
    from xentarena import offline

    recorded = receipts.recorded(receipt)
    slots = {slot for slot, each in receipt.judges.items() if each.identity == judge.identity}
    for each in receipt.play.tokens:
        if each.judge in slots and each.ends != list(judge.tokens.ends(each.text)):
            raise NotComputable(f"to {judge.name} the tokens of {each.text[:40]!r} are others than those recorded")
    asked = [each for each in recorded if each.judge in slots]
    bits = dict(zip(asked, map(receipts.as_recorded, offline.bits_of(judge, asked)), strict=True))
    apart = [abs(a - b) for each in asked for a, b in zip(recorded[each], bits[each], strict=True)]
    told.measurements += len(asked)
    told.equal += sum(recorded[each] == bits[each] for each in asked)
    told.furthest = max([told.furthest, *apart])
    return bits
