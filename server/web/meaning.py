"""What a score means, in words: how much easier the text became, how far it is to one's best and to the next rank; or,
where players are rated, what it did to the rating."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from server.arena import places, rated_plays
from server.db.models import Round, Submission
from server.web.i18n import _
from server.web.rendering import shown_bits
from server.web.score_breakdown import Part


def sentences(session: Session, round_: Round, row: Submission, parts: Sequence[Part], *, frozen: bool) -> list[str]:
    """For the player whose submission it is. frozen: nothing that others' scores since then have a part in."""
    if rated_plays.is_rated(session, round_):
        return [] if frozen else _rated(session, row)
    if row.millibits is None:
        return []
    standing = None if row.practice else _standing(session, round_, row, row.millibits, frozen=frozen)
    return [each for each in (_effect(parts), standing) if each]


def _rated(session: Session, row: Submission) -> list[str]:
    """What the play did to the player's rating. That of a later play may have changed it since."""
    found = rated_plays.around(session, row)
    if found is None:  # not over, or it does not count
        return []
    before, after = found
    if before is None:
        return [_("Your first play in this round: your rating is {after}.", after=shown_bits(after.value))]
    return [
        _(
            "Your rating was {before} before this play and is {after} after it.",
            before=shown_bits(before.value),
            after=shown_bits(after.value),
        )
    ]


def _effect(parts: Sequence[Part]) -> str | None:
    """Of a score that is what words save on one text, or cost it."""
    if len(parts) != 1 or not parts[0].helped or parts[0].alone is None or parts[0].after is None:
        return None
    saved, alone = parts[0].alone - parts[0].after, parts[0].alone
    if saved < 0:
        return _("Your words make it {bits} bits harder to predict.", bits=_bits(-saved))
    if alone <= 0:
        return _("Your words make it {bits} bits easier to predict.", bits=_bits(saved))
    return _(
        "Your words make it {bits} bits easier to predict, of {alone} ({percent} %).",
        bits=_bits(saved),
        alone=_bits(alone),
        percent=f"{100 * saved / alone:.0f}",
    )


def _standing(session: Session, round_: Round, row: Submission, millibits: int, *, frozen: bool) -> str | None:
    best = places.best(session, round_, row.player_id)
    if best is None:  # hidden, or of a player who was removed
        return None
    if best.number != row.number:
        gap = best.millibits - millibits
        return _("{bits} bits short of your best.", bits=_bits(gap / 1000)) if gap else _("As good as your best.")
    if frozen:
        return _("Your best so far.")
    ahead = places.next_ahead(session, round_, row.player_id, millibits)
    if ahead is None:
        return _("Your best so far, and nobody has more.")
    return _("Your best so far; {bits} bits behind the next rank.", bits=_bits((ahead - millibits) / 1000))


def _bits(bits: float) -> str:
    return shown_bits(bits, digits=1)
