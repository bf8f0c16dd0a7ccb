"""True and false sentences, in a shell: `xentarena pairs`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from games.sentences import counted
from judge.intervals import share_interval
from server.cli.answers import Chat, Format, asked, name_of, read_text, write
from server.cli.flags import Dtype, OneJudge
from xentarena import quizzes
from xentarena.extras import require

if TYPE_CHECKING:
    from judge.pairs import Compared


def pairs(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="JSON Lines or CSV: true, false, subject. -: standard input. None: 200 of ours.",
        ),
    ] = None,
    chat: Chat = False,
    judge: OneJudge = None,
    dtype: Dtype = "float32",
    format_: Format = "table",
) -> None:
    """Tell how often the true one of two sentences costs a judge fewer bits, and how often it chooses that one when it
    is asked outright."""
    text = None if file is None else read_text(file)
    require("judge")
    from judge.pairs import compare

    given = quizzes.packaged_pairs() if file is None or text is None else quizzes.pairs(text, name_of(file))
    with asked(judge, dtype, "comparing") as (loaded, progress):
        found = compare(loaded, given, chat=chat, progress=progress)
    write(format_, [_told(each) for each in found], lambda: _table(found, loaded.name))


def _told(each: "Compared") -> dict[str, Any]:
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


def _table(found: "Sequence[Compared]", judge: str) -> str:
    """How often the true sentence was found, in each way, with Wilson's intervals."""
    from judge.pairs import WAYS

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


def _share(some: "Sequence[Compared]", way: str) -> str:
    from judge.pairs import WAYS

    known = share_interval(sum(map(WAYS[way], some)), len(some))
    return f"{known.mean:.1%} ({known.low:.0%} to {known.high:.0%})"
