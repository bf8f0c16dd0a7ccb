"""The seven instructions of the language. Here: assign, beacon and replay; elicit, reveal, reward and ensure have
files of their own."""

import ast
from collections.abc import Callable
from dataclasses import dataclass

from games import limits
from games.builtins.signature import Parameter
from games.compiler.arguments import argument_fits, is_writable, refuse_keywords
from games.compiler.checker import Checker
from games.compiler.elicit import compile_elicit
from games.compiler.ensure import compile_ensure
from games.compiler.expression import Run, Step, broken
from games.compiler.expressions import compile_expression
from games.compiler.needs import Needs, needs
from games.compiler.reveal_reward import compile_reveal, compile_reward
from games.runtime.state import Play, run_time_error
from games.sentences import counted
from games.syntax.names import FLAGS, is_list
from games.values.types import Type

_ASSIGN = "assign(register=value, …)"
_BEACON = "beacon(flag_1) or beacon(flag_2)"
_REPLAY = "replay(flag, n)"
_TIMES = Parameter("n", Type.INTEGER, 0, limits.REPLAYS)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A checked line. line, column: where it begins, 1-based. work: units that it costs whatever its values are. needs:
    what its values hang on. writes: the registers that an `assign` writes."""

    line: int
    column: int
    name: str
    run: Step
    work: int
    needs: Needs
    writes: frozenset[str]


def compile_instruction(checker: Checker, node: ast.expr, index: int) -> Instruction | None:
    """The checked instruction number ``index`` of the program; None, after a report, where the line is none."""
    expected = f"an instruction: {', '.join(COMPILERS)}"
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        checker.report(node, checker.source(node) or "nothing", expected)
        return None
    compiler = COMPILERS.get(node.func.id)
    if compiler is None:
        checker.unknown_name(node.func, node.func.id, COMPILERS, expected)
        return None
    line, column = checker.location(node)
    writes = frozenset(keyword.arg for keyword in node.keywords if keyword.arg and compiler is _compile_assign)
    return Instruction(line, column, node.func.id, compiler(checker, node, index), _work(node), needs(node), writes)


def _work(node: ast.Call) -> int:
    """Each value of a line is made at most once whenever the line runs."""
    return limits.LINE_WORK + limits.VALUE_WORK * sum(isinstance(each, ast.expr) for each in ast.walk(node))


def _compile_assign(checker: Checker, node: ast.Call, index: int) -> Step:
    for argument in node.args:
        checker.report(argument, checker.source(argument), _ASSIGN)
    if not node.args and not node.keywords:
        checker.report(node, "no register", _ASSIGN)
    steps: list[tuple[str, Run]] = []
    for keyword in node.keywords:
        value = compile_expression(checker, keyword.value)
        name = keyword.arg or "**"
        if is_writable(checker, keyword, name):
            checker.fits(value, Type.LIST if is_list(name) else Type.TEXT, f"the value of {name}")
            steps.append((name, value.run))

    def run(play: Play) -> None:
        values = [value(play) for _, value in steps]
        for (name, _), value in zip(steps, values, strict=True):
            play.registers[name] = value

    return run


def _flag(checker: Checker, node: ast.Call, wanted: int, usage: str) -> str | None:
    """The flag that the arguments begin with; None, after a report, where they are others than ``wanted``."""
    refuse_keywords(checker, node, usage)
    if len(node.args) != wanted:
        checker.report(node, counted(len(node.args), "argument"), f"{wanted}: {usage}")
        return None
    first = node.args[0]
    if not isinstance(first, ast.Name) or first.id not in FLAGS:
        checker.report(first, checker.source(first), f"flag_1 or flag_2 in {usage}")
        return None
    return first.id


def _compile_beacon(checker: Checker, node: ast.Call, index: int) -> Step:
    flag = _flag(checker, node, 1, _BEACON)
    if flag:
        checker.flags.add(flag)

    def run(play: Play) -> None:
        play.flags[str(flag)] = index

    return run


def _compile_replay(checker: Checker, node: ast.Call, index: int) -> Step:
    flag = _flag(checker, node, 2, _REPLAY)
    if flag and flag not in checker.flags:
        checker.report(node.args[0], f"{flag}, which no earlier line sets", f"beacon({flag}) on an earlier line")
    times = compile_expression(checker, node.args[1]) if flag else broken(node)
    argument_fits(checker, times, _TIMES, _REPLAY)

    def run(play: Play) -> int | None:
        wanted: int = times.run(play)
        range_error = _TIMES.range_error(wanted)
        if range_error:
            raise run_time_error(f"found {wanted}, expected {range_error}")
        done = play.replays.get(index, 0)
        if done >= wanted:
            play.replays.pop(index, None)
            return None
        play.replays[index] = done + 1
        return play.flags[str(flag)]

    return run


COMPILERS: dict[str, Callable[[Checker, ast.Call, int], Step]] = {
    "assign": _compile_assign,
    "elicit": compile_elicit,
    "reveal": compile_reveal,
    "reward": compile_reward,
    "ensure": compile_ensure,
    "beacon": _compile_beacon,
    "replay": _compile_replay,
}
