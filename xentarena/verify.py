"""Is a receipt what it says it is, and is its score what its judge gives? What `xentarena verify` asks.

Imports no judge before one is to measure again.
"""

import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from games.protocol import Measurement
from xentarena import receipts
from xentarena.errors import InputError
from xentarena.extras import require
from xentarena.receipts import NotComputable, Receipt

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


class Verdict(BaseModel):
    """What was found. good: everything that was looked at is as it should be, and the score could be computed.

    signed: is the signature that of the key in the receipt? key_known: is that key one of those that were given? null:
    none was. score: what the recorded measurements lead to; null where that was not looked at, or cannot be (`why`).
    measured: a judge each that measured again. again, in millibits: the score by those.
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


def verify(text: str | bytes, keys: Collection[str] | None = None, judges: Sequence[str] = ()) -> Verdict:
    """Look at a receipt. keys: fingerprints of the keys that are trusted. judges: names of those to measure with again.

    Raises `InputError` for what is no receipt, and for a judge that is none of the receipt's.
    """
    document, receipt = receipts.read(text)
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
    if verdict.signed:
        _look_at_score(verdict, receipt)
    if verdict.score is not None and judges:
        _measure_again(verdict, receipt, judges)
    near = all(each.furthest <= TOLERANCE for each in verdict.measured) and (not judges or verdict.again is not None)
    verdict.good = verdict.signed and verdict.key_known is not False and verdict.score == "same" and near
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


def _look_at_score(verdict: Verdict, receipt: Receipt) -> None:
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


def _measure_again(verdict: Verdict, receipt: Receipt, judges: Sequence[str]) -> None:
    recorded = receipts.recorded(receipt)
    now = dict(recorded)
    try:
        for name in dict.fromkeys(judges):
            found, bits = _measured(name, receipt, recorded)
            verdict.measured.append(found)
            now |= bits
        verdict.again = receipts.computed(receipt, now).get(receipt.seat)
    except NotComputable as error:
        verdict.why = str(error)


def _measured(
    name: str, receipt: Receipt, recorded: dict[Measurement, list[float]]
) -> tuple[Measured, dict[Measurement, list[float]]]:
    """What the judge of this name says of the receipt's measurements that are its own."""
    require("judge", packages=("judge",))
    from xentarena import offline

    judge = offline.matching(
        name, receipt.round.profile, {each.identity: each.dtype for each in receipt.judges.values()}
    )
    slots = {slot for slot, each in receipt.judges.items() if each.identity == judge.identity}
    for each in receipt.play.tokens:
        if each.judge in slots and each.ends != list(judge.tokens.ends(each.text)):
            raise NotComputable(f"to {judge.name} the tokens of {each.text[:40]!r} are others than those recorded")
    asked = [each for each in recorded if each.judge in slots]
    bits = dict(zip(asked, map(receipts.as_recorded, offline.bits_of(judge, asked)), strict=True))
    apart = [abs(a - b) for each in asked for a, b in zip(recorded[each], bits[each], strict=True)]
    equal = sum(recorded[each] == bits[each] for each in asked)
    told = Measured(
        judge=judge.name, identity=judge.identity, build=judge.build, measurements=len(asked), equal=equal,
        furthest=max(apart, default=0.0),
    )  # fmt: skip
    return told, bits
