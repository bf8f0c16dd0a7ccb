"""A program: its source, checked whole, frozen and ready to run."""

import ast
import hashlib
from dataclasses import dataclass, field
from threading import Lock

from games import limits
from games.builtins.banned import VERSION as BANNED_WORDS_VERSION
from games.compiler.checker import Checker
from games.compiler.statements import Instruction, compile_instruction
from games.errors import ProgramError, ProgramErrors
from games.runtime.generation import Generation
from games.syntax import scan
from games.syntax.names import OPPONENT
from games.syntax.source import Line, front_page, lines_of, normalised, size_error

#: The functions that draw from the round's seed, beside ``generate…``.
DRAWING = ("sample", "shuffle")
#: Up to Python 3.12 two threads that make syntax trees at once can be told "AST constructor recursion depth mismatch".
_ONE_TREE = Lock()


@dataclass(frozen=True, slots=True)
class Program:
    """A game that passed the check.

    source: normalised (see ``games.syntax.source``). digest: SHA-256, hex, of the source and, where the program uses
    the hardened word rule, of that rule's version. title, description: the front page, Markdown. seats: the players it
    elicits from, by first use. judges: the slots it measures with, ``main`` first. passages: how many ``story()`` it
    has. registers: those it names, by first use. generations: its ``generate…``, in order. draws: does the round's seed
    decide anything in it?
    """

    source: str
    digest: str
    title: str
    description: str
    seats: tuple[str, ...]
    judges: tuple[str, ...]
    passages: int
    registers: tuple[str, ...] = field(repr=False)
    generations: tuple[Generation, ...] = field(repr=False)
    instructions: tuple[Instruction, ...] = field(repr=False, compare=False)
    draws: bool = False

    @property
    def zero_sum(self) -> bool:
        """Do two play it, of whom one loses what the other is given?"""
        return set(self.seats) == set(OPPONENT)


def parse(source: str, name: str = "<program>") -> Program:
    """The checked program. ``name`` stands in error messages, and is the title of a program without a front page.

    Raises ProgramErrors with every static error of the program.
    """
    too_large = size_error(source)
    if too_large:
        raise ProgramErrors(name, (too_large,))
    lines, errors = lines_of(source)
    checker = Checker(errors=errors)
    compiled = [_compile(checker, line, index) for index, line in enumerate(lines)]
    instructions = tuple([each for each in compiled if each is not None])
    if not lines and not errors:
        errors.append(ProgramError(1, 1, "found no instruction, expected at least one", "", "an instruction"))
    if errors:
        raise ProgramErrors(name, tuple(sorted(dict.fromkeys(errors), key=lambda each: (each.line, each.column))))
    text = normalised(source)
    page = front_page(text, name)
    return Program(
        text,
        _digest(text, checker),
        page.title,
        page.description,
        tuple(checker.seats),
        tuple(checker.slots),
        checker.stories,
        tuple(checker.registers),
        tuple(checker.generations),
        instructions,
        draws=bool(checker.generations) or not checker.functions.isdisjoint(DRAWING),
    )


def _digest(source: str, checker: Checker) -> str:
    rule = f"\0remove_banned_words {BANNED_WORDS_VERSION}" if "remove_banned_words" in checker.functions else ""
    return hashlib.sha256((source + rule).encode()).hexdigest()


def _compile(checker: Checker, line: Line, index: int) -> Instruction | None:
    checker.line = line
    if checker.pieces > limits.PIECES:
        return None
    pieces, found = scan.scan(line.text)
    checker.pieces += pieces
    if checker.pieces > limits.PIECES:
        checker.error(1, f"more than {limits.PIECES:,} words and signs up to here", "a shorter program")
        return None
    for problem in found:
        checker.error(line.indent + problem.start + 1, problem.found, problem.expected)
    tree = None if found else _parsed(checker, line)
    return None if tree is None else compile_instruction(checker, tree, index)


def _parsed(checker: Checker, line: Line) -> ast.expr | None:
    """The syntax tree of the line, if it has one that is not too deep."""
    try:
        with _ONE_TREE:
            tree = ast.parse(line.text, mode="eval").body
    except SyntaxError as error:
        column = min(max(error.offset or 1, 1), len(line.text) + 1)
        checker.error(line.indent + column, f"a line that cannot be read: {error.msg}", "name(arguments)")
        return None
    except (ValueError, RecursionError, MemoryError):
        checker.error(line.indent + 1, "a line that is nested too deeply to be read", "a simpler one")
        return None
    if _depth(tree) > limits.TREE_LEVELS:
        checker.error(line.indent + 1, f"more than {limits.TREE_LEVELS} levels of operators", "a shorter expression")
        return None
    return tree


def _depth(tree: ast.expr) -> int:
    """How deep the tree is, found without recursion."""
    depth = 0
    level: list[ast.AST] = [tree]
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return depth
