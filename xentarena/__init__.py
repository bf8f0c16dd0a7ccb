"""Play cross-entropy games from a program: on a server with `Client`, at home with `Judge` and `play`.

`Judge` and `play` need the extra `judge` (`pip install 'xentarena[judge]'`) and are loaded when they are first used.
"""

from typing import TYPE_CHECKING, Any

from xentarena.client import Client
from xentarena.errors import ApiError, ArenaError, InputError, MissingExtra, NamesakeError, ServerUnavailable

if TYPE_CHECKING:
    from judge.judge import Judge, Pair
    from xentarena.offline import play

__all__ = [
    "ApiError",
    "ArenaError",
    "Client",
    "InputError",
    "Judge",
    "MissingExtra",
    "NamesakeError",
    "Pair",
    "ServerUnavailable",
    "play",
]


def __getattr__(name: str) -> Any:
    """`Judge`, `Pair` and `play`. Raises `MissingExtra` without PyTorch, `NamesakeError` where a folder hides ours."""
    from xentarena.extras import require

    if name in ("Judge", "Pair"):
        require("judge", packages=("judge",))
        from judge import judge

        return getattr(judge, name)
    if name == "play":
        require("judge", packages=("games", "judge"))
        from xentarena.offline import play

        return play
    raise AttributeError(f"module 'xentarena' has no attribute {name!r}")
