"""True and false sentences, in a shell: `xentarena pairs`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from games.sentences import counted
from judge.intervals import share_interval
from judge.pairs import WAYS, Compared, compare, compared, outright, sentences
from judge.replies import replies
from server.cli import asking
from server.cli.answers import Format, name_of, read_text, write
from server.cli.asking import Chat, Server
from server.cli.batch import Token, progress_bar
from server.cli.flags import Dtype, OneJudge
from xentarena import quizzes


def pairs(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="JSON Lines or CSV: true, false, subject. -: standard input. None: 200 of ours.",
        ),
    ] = None,
    proofs: Annotated[bool, typer.Option("--proofs", help="Instead of FILE: 76 proof steps, right and wrong.")] = False,
    chat: Chat = False,
    judge: OneJudge = None,
    dtype: Dtype = "float32",
    server: Server = None,
    token: Token = None,
    format_: Format = "table",
) -> None:
    """Tell how often the true sentence of two costs fewer bits. And how often the judge chooses it when it is asked
    outright."""
    if file is not None and proofs:
        raise typer.BadParameter("give a file or --proofs, not both", param_hint="--proofs")
    usual = quizzes.proof_steps if proofs else quizzes.packaged_pairs
    given = usual() if file is None else quizzes.pairs(read_text(file), name_of(file))
    if server:
        with asking.at_a_server(server, token, judge, chat=chat) as away, progress_bar("comparing") as p:
            said = replies(away, outright(given), p)  # first: not every judge can be asked
            found, name = compared(given, away.sentences(sentences(given)), said), away.name
    else:
        with asking.at_home(judge, dtype) as loaded, progress_bar("comparing") as p:
            found, name = compare(loaded, given, chat=chat, progress=p), loaded.name
    write(format_, [_told(each) for each in found], lambda: _table(found, name))


def _told(each: Compared) -> dict[str, Any]:
    return {
        "subject": each.pair.subject,
        "true": each.pair.true,
        "false": each.pair.false,
        "true_bits": each.bits[0],
        "false_bits": each.bits[1],
        "true_tokens": each.tokens[0],
        "false_tokens": each.tokens[1],
        "true_yes": each.yes[0],
        "false_yes": each.yes[1],
        "true_first": each.which[0],
        "true_second": each.which[1],
        "cheaper": each.cheaper,
        "cheaper_a_token": each.cheaper_a_token,
        "said_yes": each.said_yes,
        "said_which": each.said_which,
    }


def _table(found: Sequence[Compared], judge: str) -> str:
    """How often the true sentence was found, in each way, with Wilson's intervals."""
    lines = [f"{counted(len(found), 'pair')}, by {judge}: how often the true sentence …"]
    lines.append(f"{'':24}" + "".join(f"{way:>24}" for way in WAYS))
    subjects = dict.fromkeys(each.pair.subject for each in found)
    groups = {subject: [each for each in found if each.pair.subject == subject] for subject in subjects}
    groups = groups if len(groups) > 1 else {}
    equal = [each for each in found if each.equal_tokens]
    for name, some in (groups | {"all": found, "of equal token count": equal}).items():
        if some:
            lines.append(f"{f'{name} ({len(some)})':24}" + "".join(f"{_share(some, way):>24}" for way in WAYS))
    return "\n".join(lines)


def _share(some: Sequence[Compared], way: str) -> str:
    known = share_interval(sum(map(WAYS[way], some)), len(some))
    return f"{known.mean:.1%} ({known.low:.0%} to {known.high:.0%})"
