"""Expressions: from Python's syntax tree, node by node, to something checked that runs. Nothing is ever evaluated
by Python itself, and a node that is not named here is an error."""

import ast
from collections.abc import Callable
from typing import Any

from games import limits
from games.compiler import conditions, operators
from games.compiler.calls import NAMES, compile_call
from games.compiler.checker import Checker
from games.compiler.expression import Expression, broken, composed, fallible, moved, tainted
from games.runtime.state import Play, run_time_error
from games.syntax.names import FLAGS, REGISTERS, SEATS, is_list, is_register
from games.values.text import Text, unwanted_character
from games.values.types import Type

_NOT_HERE = {
    ast.Attribute: "an attribute; only .split and .join are known, and they are called",
    ast.IfExp: "a conditional expression",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Lambda: "a lambda",
    ast.NamedExpr: "an assignment with :=",
    ast.JoinedStr: "an f-string",
    ast.Starred: "a starred argument",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.Tuple: "a tuple",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.Slice: "a slice outside of a list's brackets",
}


def compile_expression(checker: Checker, node: ast.expr) -> Expression:
    """The checked expression. Errors go to the checker; what is in error fits everywhere."""
    handler = _HANDLERS.get(type(node))
    if handler is None:
        found = _NOT_HERE.get(type(node), f"{type(node).__name__.lower()}")
        return checker.report(node, found, "an expression of the game language")
    return handler(checker, node)


def compile_all(checker: Checker, nodes: list[ast.expr]) -> list[Expression]:
    return [compile_expression(checker, node) for node in nodes]


def _constant(checker: Checker, node: ast.Constant) -> Expression:
    value = node.value
    if isinstance(value, bool):
        return Expression(Type.CONDITION, lambda play: value, node, literal=value)
    if isinstance(value, str):
        return _string(checker, node, value)
    if not isinstance(value, int | float):
        return checker.report(node, checker.source(node), "a text, a number, True or False")
    if abs(value) > limits.NUMBER:
        return checker.report(node, "a number too far from zero", f"at most {limits.NUMBER:,}")
    type = Type.INTEGER if isinstance(value, int) else Type.FLOAT
    return Expression(type, lambda play: value, node, literal=value)


def _string(checker: Checker, node: ast.Constant, value: str) -> Expression:
    value = value.replace("\r\n", "\n")
    unwanted = unwanted_character(value)
    if unwanted:
        return checker.report(node, f"a text with {unwanted[1]}", "no control characters but \\n and \\t")
    text = Text(value)
    return Expression(Type.TEXT, lambda play: text, node, literal=value)


def _name(checker: Checker, node: ast.Name) -> Expression:
    name = node.id
    if is_register(name):
        checker.registers[name] = None
        type = Type.LIST if is_list(name) else Type.TEXT

        def run(play: Play) -> Any:
            return play.registers[name]

        return Expression(type, run, node, register=name, reads=frozenset((name,)))
    if name in SEATS or name in FLAGS:
        return Expression(Type.SEAT if name in SEATS else Type.FLAG, lambda play: name, node, literal=name)
    if name in NAMES:
        return checker.report(node, f"the function {name} without its brackets", f"{name}(…)")
    return checker.unknown_name(node, name, [*REGISTERS, *SEATS, *FLAGS, *NAMES], "a register or a value")


def _list(checker: Checker, node: ast.List) -> Expression:
    items = compile_all(checker, node.elts)
    fine = [checker.fits(item, Type.TEXT, "an item of a list") for item in items]
    if not all(fine):
        return broken(node)
    runs = [item.run for item in items]

    def run(play: Play) -> tuple[Text, ...]:
        play.spend(20 * len(runs))
        return play.texts(tuple([each(play) for each in runs]))

    return composed(Type.LIST, run, node, items)


def _subscript(checker: Checker, node: ast.Subscript) -> Expression:
    value = compile_expression(checker, node.value)
    if isinstance(node.slice, ast.Slice):
        return _slice(checker, node, value, node.slice)
    index = compile_expression(checker, node.slice)
    is_list_value = checker.fits(value, Type.LIST, "what is subscripted (a text has no subscripts)")
    if not (checker.fits(index, Type.INTEGER, "a subscript") and is_list_value):
        return broken(node)

    def run(play: Play) -> Text:
        items: tuple[Text, ...] = value.run(play)
        wanted: int = index.run(play)
        if not -len(items) <= wanted < len(items):
            raise run_time_error(f"found subscript {wanted} of a list of {len(items)} items")
        by = moved(play, index.reads)
        return tainted(items[wanted], by) if by else items[wanted]

    return composed(Type.TEXT, fallible(run, checker.location(node)), node, [value, index])


def _slice(checker: Checker, node: ast.Subscript, value: Expression, bounds: ast.Slice) -> Expression:
    parts = [compile_expression(checker, part) for part in (bounds.lower, bounds.upper) if part is not None]
    fine = [checker.fits(part, Type.INTEGER, "the bound of a slice") for part in parts]
    fine.append(checker.fits(value, Type.LIST, "what is sliced (a text has no slices; first_n_tokens cuts one)"))
    if bounds.step is not None:
        checker.report(bounds.step, "a slice with a step", "a start and an end only")
        fine.append(False)
    if not all(fine):
        return broken(node)
    has_lower, has_upper = bounds.lower is not None, bounds.upper is not None
    reads = frozenset().union(*(part.reads for part in parts))

    def run(play: Play) -> tuple[Text, ...]:
        items: tuple[Text, ...] = value.run(play)
        numbers = [part.run(play) for part in parts]
        chosen = items[numbers[0] if has_lower else None : numbers[-1] if has_upper else None]
        play.spend(50 + 20 * len(chosen))
        by = moved(play, reads)
        return tuple([tainted(item, by) for item in chosen]) if by else chosen

    return composed(Type.LIST, run, node, [value, *parts])


def _binary(checker: Checker, node: ast.BinOp) -> Expression:
    left, right = compile_all(checker, [node.left, node.right])
    return operators.binary(checker, node, left, right)


def _unary(checker: Checker, node: ast.UnaryOp) -> Expression:
    return operators.unary(checker, node, compile_expression(checker, node.operand))


def _boolean(checker: Checker, node: ast.BoolOp) -> Expression:
    return conditions.boolean(checker, node, compile_all(checker, node.values))


def _compare(checker: Checker, node: ast.Compare) -> Expression:
    return conditions.comparison(checker, node, compile_all(checker, [node.left, *node.comparators]))


def _call(checker: Checker, node: ast.Call) -> Expression:
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            return checker.report(argument, "a starred argument", "each argument by itself")
    if isinstance(node.func, ast.Attribute):
        return _method(checker, node, node.func)
    if not isinstance(node.func, ast.Name):
        return checker.report(node.func, checker.source(node.func), "the name of a function before the brackets")
    if node.func.id not in NAMES:
        return checker.unknown_name(node.func, node.func.id, NAMES, "the name of a function")
    arguments = compile_all(checker, node.args)
    keywords = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in keywords:
            found = "**" if keyword.arg is None else f"{keyword.arg}= twice"
            return checker.report(keyword.value, found, "each keyword once")
        keywords[keyword.arg] = compile_expression(checker, keyword.value)
    return compile_call(checker, node, node.func.id, arguments, keywords)


def _method(checker: Checker, node: ast.Call, method: ast.Attribute) -> Expression:
    """``s.split(t)`` and ``t.join(l)``: two functions that are written behind their first argument."""
    if method.attr not in ("split", "join"):
        return checker.report(method, f".{method.attr}", "no attributes but .split and .join")
    arguments = compile_all(checker, [method.value, *node.args])
    if node.keywords:
        return checker.report(node.keywords[0].value, f"{node.keywords[0].arg}=", "no keywords here")
    if method.attr == "split" and len(arguments) == 2 and arguments[1].literal == "":
        return checker.report(arguments[1].node, "an empty separator", "at least one character, or split()")
    return compile_call(checker, node, f".{method.attr}", arguments, {})


_Handler = Callable[[Checker, Any], Expression]
_HANDLERS: dict[type[ast.expr], _Handler] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _list,
    ast.Subscript: _subscript,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.Call: _call,
}
