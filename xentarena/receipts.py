"""Receipts: all that a score can be computed again from, signed by the server that gave it.

docs/receipts.md says what stands in one, and which bytes are signed. Imports the rules and `cryptography`, no model.
"""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from games import protocol
from games.engine import replay
from games.errors import GamesError
from games.program import Program, parse
from games.protocol import Event, Finished, JudgeFacts, Log, Setup, Status
from games.values.bits import millibits
from judge.codec import pack_bits, unpack_bits
from xentarena.errors import ArenaError, InputError

KIND = "xentarena-receipt"
VERSION = 3  #: 2: of a score under another judge than the moves were cut by. 3: with what a second judge gave
ALGORITHM = "Ed25519"
Document = dict[str, Any]


class Part(BaseModel):
    """A part of a receipt, as it stands in the JSON: nothing is taken for what it is not."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Player(Part):
    id: str
    name: str
    kind: str


class Round(Part):
    """number: in its competition. profile: how its judges are asked."""

    id: str
    competition: str
    number: int
    profile: str


class Game(Part):
    """digest: by which the program is known (see `games.program.Program`)."""

    name: str
    digest: str
    source: str


class Judge(Part):
    """identity: digest of all that its bits depend on. build: what computed first with it."""

    name: str
    identity: str
    context: int
    direction: str
    dtype: str
    build: str


class Move(Part):
    """A text that a player gave. Of another seat it is the text as it counts. cut: was it longer? Only in a play that
    was scored again under another judge, where every text is as it counted."""

    seat: str
    text: str
    cut: bool | None = None


class Tokens(Part):
    """Where the tokens of a text end for the judge of a slot, in characters."""

    judge: str
    text: str
    ends: list[int]


class Measurement(Part):
    """The bits of `text` after `prefix`. bits: float32, little-endian, one a scored token, in base64."""

    judge: str
    profile: str
    prefix: str
    text: str
    bits: str
    build: str | None


class Play(Part):
    """What the play was made of. passages, seed, generated: of its round. left_after: where somebody left it, how many
    events it had until then; null for a play that was played to its end."""

    id: str
    passages: list[str]
    seed: str | None
    generated: list[str]
    moves: list[Move]
    tokens: list[Tokens]
    measurements: list[Measurement]
    left_after: int | None


class Second(Part):
    """What the round's second judge gave the play, on the passages, the seed and the texts of the score's. The moves
    are as they counted: the second judge cuts none of them."""

    judges: dict[str, Judge]
    profile: str
    moves: list[Move]
    tokens: list[Tokens]
    measurements: list[Measurement]
    left_after: int | None
    millibits: int
    rewards: dict[str, int]
    build: str | None


class Receipt(Part):
    """A receipt of a scored submission. Times are ISO 8601 in UTC; millibits are thousandths of a bit.

    complete: can the score be computed again from it? missing: the parts of `play` that are not all there. because:
    hidden (from whoever asked, for now), or lost. rewards: seat → millibits. build: what computed the bits. second:
    what a second judge gave, where the round has one and its moves are revealed.
    """

    type: Literal["xentarena-receipt"]
    version: Literal[1, 2, 3]
    algorithm: Literal["Ed25519"]
    key: str
    public_key: str
    complete: bool
    missing: list[str]
    because: Literal["hidden", "lost"] | None
    submission: str
    seat: str
    practice: bool
    player: Player
    round: Round
    program: Game
    judges: dict[str, Judge]
    play: Play
    second: Second | None = None
    millibits: int
    rewards: dict[str, int]
    engine: str
    build: str | None
    accepted_at: str
    finished_at: str
    signature: str


class NotComputable(ArenaError):
    """What is recorded leads to no score: its text says why."""


# --- The signature ----------------------------------------------------------------------------------------------------


def canonical(document: Mapping[str, Any]) -> bytes:
    """The document as RFC 8785 has it: sorted names, no white space, UTF-8. Its numbers are whole ones."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def fingerprint(public_key: bytes) -> str:
    """By what a key is known: SHA-256, hex."""
    return hashlib.sha256(public_key).hexdigest()


def signed(document: Mapping[str, Any], key: Ed25519PrivateKey) -> Document:
    """The document with the key's name, the key itself and the signature over all of it."""
    public = key.public_key().public_bytes_raw()
    told = {**document, "algorithm": ALGORITHM, "key": fingerprint(public), "public_key": public.hex()}
    return {**told, "signature": key.sign(canonical(told)).hex()}


def is_signed(document: Mapping[str, Any]) -> bool:
    """Has the key that the document names signed all that stands in it?"""
    told = {name: value for name, value in document.items() if name != "signature"}
    try:
        public, signature = bytes.fromhex(document["public_key"]), bytes.fromhex(document["signature"])
        Ed25519PublicKey.from_public_bytes(public).verify(signature, canonical(told))
    except (ValueError, InvalidSignature):
        return False
    return (signature.hex(), fingerprint(public)) == (document["signature"], document["key"])  # one spelling each


def read(text: str | bytes) -> tuple[Document, Receipt]:
    """The JSON as it stands, over which the signature is, and what it says. Raises `InputError` for anything else."""
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is no receipt: it cannot be read as JSON ({error})") from None
    if not isinstance(document, dict) or document.get("type") != KIND:
        raise InputError(f'this is no receipt: one is a JSON object with "type": "{KIND}"')
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise InputError(f"this receipt is of version {version}, and this program reads {VERSION}: install a newer one")
    return document, read_document(document)


def read_document(document: Document) -> Receipt:
    """What the JSON object says. Raises `InputError` where it is not as this version of a receipt is."""
    try:
        return Receipt.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        raise InputError(f"this receipt is damaged: {first['msg']} at /{where}") from None


def _once(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no whole number")


# --- The score --------------------------------------------------------------------------------------------------------


def packed(bits: bytes) -> str:
    """Bits as they are stored, as a receipt has them."""
    return base64.b64encode(bits).decode()


def computed(receipt: Receipt, bits: Mapping[protocol.Measurement, Sequence[float]] | None = None) -> dict[str, int]:
    """Seat → millibits: what the program gives each on the receipt's moves, by its measurements or on other `bits`.

    Raises `NotComputable`.
    """
    play = receipt.play
    program = _program(receipt)
    setup = Setup(tuple(play.passages), play.seed or "", _facts(receipt), receipt.round.profile, tuple(play.generated))
    moves = tuple(protocol.Move(move.seat, move.text, move.cut) for move in play.moves)
    try:
        effect = replay(program, setup, Log(moves, recorded(receipt) if bits is None else bits))
    except (GamesError, LookupError, ValueError) as error:
        raise NotComputable(f"its program cannot be run on what is recorded: {error}") from None
    if play.left_after is not None:
        return {receipt.seat: earned(effect.events[: play.left_after], receipt.seat)}
    if not isinstance(effect, Finished) or effect.status is not Status.SCORED:
        raise NotComputable("its program comes to no score on what is recorded")
    return {seat: millibits(each) for seat, each in effect.rewards.items()}


def under_second(receipt: Receipt) -> Receipt | None:
    """The receipt as if the second judge had given the score; None where there is no such judge in it."""
    second = receipt.second
    if second is None:
        return None
    told = {name: getattr(second, name) for name in ("moves", "tokens", "measurements", "left_after")}
    changed = {name: getattr(second, name) for name in ("judges", "millibits", "rewards", "build")}
    round_ = receipt.round.model_copy(update={"profile": second.profile})
    return receipt.model_copy(
        update={**changed, "round": round_, "play": receipt.play.model_copy(update=told), "second": None}
    )


def earned(events: Iterable[Event], seat: str) -> int:
    """What who stays in a play that somebody left has earned so far, in millibits; at least nothing."""
    total = 0.0
    for event in events:
        if isinstance(event, protocol.Reward) and event.seat == seat:
            total += event.bits
    return millibits(max(0.0, total))


def recorded(receipt: Receipt) -> dict[protocol.Measurement, list[float]]:
    """The receipt's measurements as the engine asks for them. Raises `NotComputable`."""
    return {
        protocol.Measurement(each.judge, each.profile, each.prefix, each.text): _unpacked(each.bits)
        for each in receipt.play.measurements
    }


def _unpacked(text: str) -> list[float]:
    try:
        bits = unpack_bits(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise NotComputable(f"{text[:40]!r} are no bits of a measurement") from None
    if not all(map(math.isfinite, bits)):
        raise NotComputable("the bits of a measurement are no numbers")
    return bits


def as_recorded(bits: Sequence[float]) -> list[float]:
    """Bits as a receipt can hold them."""
    return unpack_bits(pack_bits(bits))


def _program(receipt: Receipt) -> Program:
    try:
        program = parse(receipt.program.source, receipt.program.name)
    except GamesError as error:
        raise NotComputable(f"its program cannot be read here: {str(error).splitlines()[0]}") from None
    if program.digest != receipt.program.digest:
        raise NotComputable(f"its program is another: its digest is {program.digest}")
    return program


def _facts(receipt: Receipt) -> dict[str, JudgeFacts]:
    known: dict[str, dict[str, list[int]]] = {slot: {} for slot in receipt.judges}
    for each in receipt.play.tokens:
        if each.ends != sorted(each.ends) or not all(0 <= end <= len(each.text) for end in each.ends):
            raise NotComputable(f"these are no tokens of {each.text[:40]!r}")
        known.setdefault(each.judge, {})[each.text] = each.ends
    return {
        slot: JudgeFacts(known[slot].__getitem__, judge.context, judge.direction)
        for slot, judge in receipt.judges.items()
    }
