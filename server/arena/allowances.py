"""What a participant has left of what is limited, so that a program can plan instead of running into a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.arena import attempts, measurements, quotas, rounds
from server.arena.unit import Unit
from server.db.models import Player, Round
from server.db.states import RoundState


@dataclass(frozen=True, slots=True)
class Used:
    """Of how many, how many are used."""

    used: int
    of: int


@dataclass(frozen=True, slots=True)
class RoundUsed:
    """Attempts of a round that limits them."""

    round: str
    attempts: Used


@dataclass(frozen=True, slots=True)
class Allowance:
    """submissions, measured: that are kept of the participant, for good. waiting: measurements that wait now. rounds:
    those that are open and limit attempts."""

    submissions: Used
    waiting: Used
    measured: Used
    rounds: Sequence[RoundUsed]


def of_player(unit: Unit, player: Player) -> Allowance:
    session, settings = unit.session, unit.settings
    kept = quotas.submissions_each(session, [player.id]).get(player.id, 0)
    used = attempts.used(session, player.id)
    limited = [(each, each.attempts) for each in _open_rounds(unit, player)]
    return Allowance(
        submissions=Used(kept, settings.submission_limit),
        waiting=Used(measurements.waiting(session, player.id), settings.pending_limit),
        measured=Used(quotas.measured(session, player.id), quotas.MEASUREMENTS),
        rounds=[RoundUsed(each.id, Used(used.get(each.id, 0), most)) for each, most in limited if most is not None],
    )


def _open_rounds(unit: Unit, player: Player) -> Sequence[Round]:
    found = rounds.of_competition(unit.session, player.competition_id)
    return [each for each in found if rounds.state_of(each, unit.now) is RoundState.OPEN]
