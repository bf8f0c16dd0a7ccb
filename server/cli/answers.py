"""Questions with known answers, in a shell: `xentarena answers`."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from games.sentences import counted
from judge.calibration import Answered, bins, calibration_error, coverage
from judge.intervals import share_interval
from judge.replies import TEMPLATE, Question, Reply, log_odds, replies
from server.cli import asking, diagrams, given
from server.cli.asking import Chat, Server
from server.cli.batch import Token, progress_bar
from server.cli.flags import Dtype, OneJudge
from server.errors import CommandError
from xentarena import quizzes

if TYPE_CHECKING:
    from judge.judge import Judge
    from xentarena.asking import ServersJudge

Format = Annotated[Literal["table", "jsonl", "csv"], typer.Option("--format", help="jsonl, csv: a line each.")]
COVERED = (1.0, 0.75, 0.5, 0.25)  # of the questions, in the table
KINDS: dict[str, Callable[[Reply], Answered]] = {
    "as it says": lambda reply: reply.plain,
    "without its prior": lambda reply: reply.calibrated,
}


def answers(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON Lines or CSV: question, answer, answers. -: standard input.")
    ],
    answer: Annotated[
        list[str] | None,
        typer.Option(metavar="A", help="An answer that is allowed where the file names none; to be repeated."),
    ] = None,
    template: Annotated[
        str | None, typer.Option(metavar="T", help="What stands before an answer, with {question} in it.")
    ] = None,
    chat: Chat = False,
    judge: OneJudge = None,
    dtype: Dtype = "float32",
    server: Server = None,
    token: Token = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw how far its confidence can be trusted.")
    ] = None,
    format_: Format = "table",
) -> None:
    """Ask a judge questions to which some answers are allowed. How often it is right, how far its confidence can be
    trusted, and what saying "I do not know" is worth; as it says, and without its prior for the answers."""
    if template is not None and chat:
        raise typer.BadParameter("a chat has a template of its own", param_hint="--template")
    questions = quizzes.questions(read_text(file), name_of(file), answer or [])
    if server:
        found, name = _away(asking.at_a_server(server, token, judge, chat=chat, template=template), questions)
    else:
        found, name = _at_home(asking.at_home(judge, dtype), questions, template or TEMPLATE, chat)
    if svg:
        kinds = {kind: [of(reply) for reply in found] for kind, of in KINDS.items()}
        _save(svg, diagrams.reliability(kinds, f"{name}: {counted(len(found), 'question')}"))
    write(format_, [_told(reply) for reply in found], lambda: _table(found, name))


def _away(judge: "AbstractContextManager[ServersJudge]", questions: Sequence[Question]) -> tuple[list[Reply], str]:
    with judge as away, progress_bar("asking") as progress:
        return replies(away, questions, progress), away.name


def _at_home(
    judge: "AbstractContextManager[Judge]", questions: Sequence[Question], template: str, chat: bool
) -> tuple[list[Reply], str]:
    with judge as loaded, progress_bar("asking") as progress:
        from judge.answers import ask

        return ask(loaded, questions, template=template, chat=chat, progress=progress), loaded.name


def read_text(file: Path) -> str:
    """A file of questions or pairs."""
    at_stdin = str(file) == given.STDIN
    (text,) = given.texts([given.STDIN] if at_stdin else [], [] if at_stdin else [file], "FILE")
    return text


def name_of(file: Path) -> str:
    return "standard input" if str(file) == given.STDIN else str(file)


def write(format_: str, rows: Sequence[dict[str, Any]], table: Callable[[], str]) -> None:
    """Rows of one kind as lines of JSON or CSV, or the table of them all."""
    if format_ == "table":
        typer.echo(table())
    elif format_ == "jsonl":
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        written = io.StringIO()
        writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: json.dumps(value, ensure_ascii=False) for key, value in row.items()} for row in rows)
        typer.echo(written.getvalue(), nl=False)


def _told(reply: Reply) -> dict[str, Any]:
    question, plain, calibrated = reply.question, reply.plain, reply.calibrated
    return {
        "question": question.text,
        "answer": question.answers[question.right],
        "answers": list(question.answers),
        "bits": list(reply.bits),
        "log_odds": log_odds(reply.bits),
        "probabilities": list(plain.probabilities),
        "says": question.answers[plain.chosen],
        "right": plain.is_right,
        "entropy": plain.entropy,
        "calibrated_log_odds": log_odds(reply.without_prior),
        "calibrated_probabilities": list(calibrated.probabilities),
        "calibrated_says": question.answers[calibrated.chosen],
        "calibrated_right": calibrated.is_right,
        "calibrated_entropy": calibrated.entropy,
    }


def _table(replies: Sequence[Reply], judge: str) -> str:
    lines = [f"{counted(len(replies), 'question')}, by {judge}"]
    for name, of in KINDS.items():
        found = [of(reply) for reply in replies]
        known = share_interval(sum(each.is_right for each in found), len(found))
        lines += [
            "",
            f"{name}:",
            f"  right        {known.mean:.3f}  (95 % interval {known.low:.3f} to {known.high:.3f})",
            f"  confidence   {fmean(each.confidence for each in found):.3f}",
            f"  calibration  {calibration_error(found):.3f} expected error",
            "  confidence   questions  mean   right",
        ]
        lines += [
            f"  {each.low:.1f} to {each.high:.1f}   {each.count:9}  {each.confidence:.3f}  {each.right:.3f}"
            for each in bins(found)
        ]
        lines.append("  answered     right  where the entropy is at most")
        lines += [f"  {share:6.1%}       {right:.3f}  {entropy:.3f} bits" for share, right, entropy in _covered(found)]
    return "\n".join(lines)


def _covered(found: Sequence[Answered]) -> Iterator[tuple[float, float, float]]:
    """Of what not answering leaves, the points nearest to those that are told."""
    points = coverage(found)
    nearest = [min(points, key=lambda each: abs(each.share - wanted)) for wanted in COVERED]
    for each in dict.fromkeys(nearest):
        yield each.share, each.right, each.entropy


def _save(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from error
