"""Play cross-entropy games from a program: on a server with `Client`, at home with `Judge`, `play` and `play_many`.

These and `OfflineRound` need the extra `judge` (`pip install 'xentarena[judge]'`); they are loaded when they are first
used.
"""

from typing import TYPE_CHECKING, Any

from xentarena.client import Client
from xentarena.errors import ApiError, ArenaError, InputError, MissingExtra, NamesakeError, ServerUnavailable

if TYPE_CHECKING:
    from judge.judge import Judge, Pair
    from xentarena.offline import OfflineRound, play, play_many

__all__ = [
    "ApiError",
    "ArenaError",
    "Client",
    "InputError",
    "Judge",
    "MissingExtra",
    "NamesakeError",
    "OfflineRound",
    "Pair",
    "ServerUnavailable",
    "play",
    "play_many",
]


def __getattr__(name: str) -> Any:
    """What needs a judge. Raises `MissingExtra` without PyTorch, `NamesakeError` where a folder hides ours."""
    from xentarena.extras import require

    if name in ("Judge", "Pair"):
        require("judge", packages=("judge",))
        from judge import judge

        return getattr(judge, name)
    if name in ("OfflineRound", "play", "play_many"):
        require("judge", packages=("games", "judge"))
        from xentarena import offline

        return getattr(offline, name)
    raise AttributeError(f"module 'xentarena' has no attribute {name!r}")
