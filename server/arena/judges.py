"""Judges as the server knows them: by what workers announced. No model is loaded here."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.library import load
from games.protocol import Ends, JudgeFacts
from games.sentences import say
from judge.loading.tokenizer import Tokens
from server.arena import callers, naming
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.caches import SizedCache
from server.db.models import Judge
from server.db.session import insert, now
from server.errors import Detail, RequestError, invalid

_faults: SizedCache[str, str] = SizedCache(64 * 1024)  # by the digest of the tokenizer, which takes a while to read


def fault(info: Mapping[str, Any]) -> str | None:
    """Why nothing can be counted with a judge as it was announced, if so."""
    told = _faults.get(info["tokenizer"], lambda: _fault(info["tokenizer_json"]), lambda found: 100 + len(found))
    return told or None


def _fault(tokenizer_json: str) -> str:
    try:
        Tokens.from_json(tokenizer_json).ends(" ".join(load()[0].field))
    except BaseException as error:  # the library panics, which is no Exception
        if not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        return f"its tokenizer cannot be used: {str(error)[:200]}"
    return ""


def remember(session: Session, infos: Sequence[dict[str, Any]]) -> None:
    """Keep what workers announced. An identity never changes, so the first word stands; but for the name, which it may
    not get (`server.arena.naming`)."""
    at = now(session)
    for info in infos:
        values = {
            "identity": info["identity"],
            "name": naming.name_of(session, info),
            "context": info["context"],
            "bos": info["bos"],
            "direction": info["direction"],
            "dtype": info["dtype"],
            "tokenizer": info["tokenizer_json"],
            "build": info["build"],
            "created_at": at,
        }
        statement = insert(session, Judge).values(values).on_conflict_do_nothing(index_elements=["identity"])
        session.execute(statement)


def refuse_taken_name(session: Session, identity: str, name: str) -> None:
    """A lent machine brings no other judge under a name that is known: whoever names it would get that one. Raises
    `RequestError`."""
    known = Judge.name.in_([name, identity]) | (Judge.identity == name)
    if session.scalars(select(Judge.identity).where(known, Judge.identity != identity).limit(1)).first() is not None:
        told = say(
            "The judge {name} is another one here: other weights, tokenizer or dtype. Bring the same, or one of another"
            " name; or start it once beside the server, which may give a name anew.",
            name=repr(name),
        )
        raise invalid("/name", told)


def everyone(session: Session) -> Sequence[Judge]:
    return session.scalars(select(Judge).order_by(Judge.created_at, Judge.identity)).all()


def find(session: Session, name: str | None, pointer: str = "/judge") -> Judge:
    """A judge by identity or name; the newest of that name. None: the newest of all (see `Workforce.default_judge`)."""
    query = select(Judge).order_by(Judge.created_at.desc(), Judge.identity)
    if name is not None:
        known = naming.packaged(name)
        meant = Judge.name == name if known is None else (Judge.name == name) & Judge.identity.in_(known)
        query = query.where((Judge.identity == name) | meant)
    judge = session.scalars(query.limit(1)).one_or_none()
    if judge is None:
        known = ", ".join(sorted({known.name for known in everyone(session)})) or "none so far"
        wanted = say("any judge") if name is None else say("the judge {name}", name=repr(name))
        told = say(
            "No worker has announced {wanted}. Known judges: {known}. Start a worker with it:"
            " xentarena worker --judge {name}",
            wanted=wanted,
            known=known,
            name=name or "pocket",
        )
        raise RequestError("unknown-judge", 422, "Unknown judge", told, (Detail(pointer, told),))
    return judge


def visible(unit: Unit) -> Sequence[Judge]:
    """Every judge that a worker ever announced."""
    return everyone(unit.session)


def workers(unit: Unit) -> Workforce:
    """Who is at work, and what was not understood of what they announced. Hosts only."""
    callers.require_some_host(unit.caller)
    return unit.workforce


def see(unit: Unit, name: str) -> Judge:
    """A judge by identity or name."""
    return find(unit.session, name)


def facts(judge: Judge) -> JudgeFacts:
    """What the rules need to know of a judge."""
    return _facts(judge.tokenizer, judge.context, judge.direction)


def tokens(judge: Judge) -> Tokens:
    return _tokens(judge.tokenizer)


def token_count(judge: Judge, text: str) -> int:
    """How many tokens a text has; of texts that were asked for lately it is known."""
    return len(facts(judge).ends(text))


def words(judge: Judge, count: int) -> int:
    """About how many words somebody can say of a passage in so many tokens of the judge."""
    return max(1, int(count * _words_a_token(judge.tokenizer)))


@lru_cache(maxsize=32)
def _words_a_token(tokenizer_json: str) -> float:
    said = [passage.field for passage in load()]
    return sum(map(len, said)) / sum(_tokens(tokenizer_json).count(" ".join(each)) for each in said)


@lru_cache(maxsize=32)
def _facts(tokenizer_json: str, context: int, direction: str) -> JudgeFacts:
    # A replay asks for the ends of the round's passages every time. Sizes in characters, a token as ten.
    kept: SizedCache[str, Sequence[int]] = SizedCache(4 * 1024 * 1024)
    ends = _tokens(tokenizer_json).ends
    known = partial(_ends, kept, ends)
    return JudgeFacts(known, context, direction)


def _ends(kept: SizedCache[str, Sequence[int]], ends: Ends, text: str) -> Sequence[int]:
    return kept.get(text, lambda: ends(text), lambda found: len(text) + 10 * len(found))


@lru_cache(maxsize=32)
def _tokens(tokenizer_json: str) -> Tokens:
    return Tokens.from_json(tokenizer_json)
