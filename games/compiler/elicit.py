"""``elicit``: a player is asked for a text."""

import ast

from games import limits
from games.builtins.signature import Parameter
from games.compiler.arguments import argument_fits, is_writable, refuse_keywords, seat_and_rest
from games.compiler.checker import Checker
from games.compiler.expression import Step, broken
from games.compiler.expressions import compile_expression
from games.errors import LogError
from games.protocol import MAIN, Ask, Move, MoveMade, NeedMove
from games.runtime.costs import shown_size
from games.runtime.state import Play, Suspended, out_of_budget, run_time_error
from games.sentences import counted
from games.syntax.names import is_list, is_register, visible
from games.values.text import HOUSE, PLAYER, Text, unwanted_character
from games.values.types import Type

_USAGE = "elicit([player,] register, …, n)"
_LIMIT = Parameter("n", Type.INTEGER, 1, limits.ELICIT_TOKENS)


def compile_elicit(checker: Checker, node: ast.Call, index: int) -> Step:
    refuse_keywords(checker, node, _USAGE)
    seat, rest = seat_and_rest(node.args)
    checker.seats[seat] = None
    names = [name for name in [_register(checker, each) for each in rest[:-1]] if name]
    if len(rest) < 2:
        checker.report(node, counted(len(rest), "argument"), f"at least a register and a number: {_USAGE}")
    limit = compile_expression(checker, rest[-1]) if rest else broken(node)
    argument_fits(checker, limit, _LIMIT, _USAGE)
    line = checker.line.number

    def run(play: Play) -> None:
        if play.unknown:
            raise play.need_bits()
        most: int = limit.run(play)
        range_error = _LIMIT.range_error(most)
        if range_error:
            raise run_time_error(f"found {most}, expected {range_error}")
        play.return_to, play.return_seat = index, seat
        for name in names:
            play.registers[name] = _asked(play, seat, name, most, line)

    return run


def _register(checker: Checker, node: ast.expr) -> str | None:
    if not isinstance(node, ast.Name):
        checker.report(node, checker.source(node), "a register")
    elif is_register(node.id) and is_list(node.id):
        checker.report(node, f"the list register {node.id}", "a text register: a move is one text")
    elif is_writable(checker, node, node.id):
        return node.id
    return None


def _asked(play: Play, seat: str, name: str, limit: int, line: int) -> Text:
    """The move of the log, cut, as a value; stops the play where the log has none."""
    names = _seen(play, seat)
    play.events.append(Ask(seat, name, limit, line))
    move = play.next_move(seat, names, limit)
    if move is None:
        raise Suspended(NeedMove(seat, name, limit, {each: play.plain(each) for each in names}, play.shown()))
    unwanted = unwanted_character(move.text)
    if unwanted:
        raise LogError(f"move {play.used} of the log holds {unwanted[1]}")
    text, cut = _as_it_counts(play, move, limit)
    play.said.add((seat, text))
    play.events.append(MoveMade(seat, name, text, cut, line))
    return play.text(text, HOUSE if seat in play.setup.house else PLAYER)


def _as_it_counts(play: Play, move: Move, limit: int) -> tuple[str, bool]:
    """The text within the limit, and was it longer? What counted once is cut by no other judge."""
    if move.cut is not None:
        return move.text, move.cut
    ends = play.ends(MAIN, move.text)
    cut = len(ends) > limit
    return (move.text[: ends[limit - 1]] if cut else move.text), cut


def _seen(play: Play, seat: str) -> list[str]:
    """The registers that the player sees, within their budget whether the move is there or still to come."""
    names = visible(seat, play.named, play.revealed.get(seat, ()))
    texts: list[str] = []
    for name in names:
        value = play.registers[name]
        if isinstance(value, Text):
            texts.append(value.text)
        else:
            texts += [item.text for item in value]
    play.spend(200 + 20 * len(texts))
    if shown_size(texts) > limits.SHOWN_CHARACTERS:
        raise out_of_budget("characters in the registers that a player sees", limits.SHOWN_CHARACTERS)
    return names
