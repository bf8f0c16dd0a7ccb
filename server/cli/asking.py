"""Whom `xentarena answers` and `pairs` ask: a judge that is loaded now, or that of a running server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from judge.errors import JudgeError
from judge.profiles import ARENA
from judge.replies import TEMPLATE
from server.errors import CommandError
from xentarena.extras import require

if TYPE_CHECKING:
    from judge.judge import Judge
    from xentarena.asking import ServersJudge

Chat = Annotated[bool, typer.Option("--chat", help="Ask in the judge's chat template; not with --server.")]
Server = Annotated[
    str | None, typer.Option(metavar="URL", help="Ask this server's judge instead of loading one, by measuring freely.")
]


@contextmanager
def at_home(judge: str | None, dtype: str) -> "Iterator[Judge]":
    """Raises CommandError for what the judge cannot do."""
    require("judge")
    from judge.loading.packages.store import usual_judge
    from xentarena import offline

    with _as_input_errors():
        yield offline.load_judge(judge or usual_judge(), ARENA, dtype)


@contextmanager
def at_a_server(
    server: str, token: str | None, judge: str | None, *, chat: bool, template: str | None = None
) -> "Iterator[ServersJudge]":
    if not token:
        raise typer.BadParameter("needed with --server; XENTARENA_TOKEN says it, too", param_hint="--token")
    if chat:
        told = "a server measures plain text, without a chat's special tokens: ask in the template at home"
        raise typer.BadParameter(told, param_hint="--chat")
    from xentarena.asking import ServersJudge

    with _as_input_errors(), ServersJudge(server, token, judge, template or TEMPLATE) as found:
        yield found


@contextmanager
def _as_input_errors() -> Iterator[None]:
    try:
        yield
    except JudgeError as error:
        raise CommandError(str(error)) from error
