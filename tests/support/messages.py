"""Every sentence that is to be translated, gathered from the code, the templates and the packaged games."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog
from jinja2.ext import babel_extract

from games import catalog as games_catalog
from games.program import parse
from server.web import i18n

ROOT = Path(i18n.__file__).parents[2]
#: Which arguments of a call are sentences.
CALLS = {
    "_": [0],
    "gettext": [0],
    "mark": [0],
    "ngettext": [0, 1],
    "say": [0, 1],
    "forbidden": [0],
    "unauthorized": [0],
    "not_found": [0],
    "invalid": [1],
    "limited": [1],
    "conflict": [1, 2],
    "RequestError": [2, 3],
    "Unavailable": [2, 3],
}
JINJA = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
_SAID = re.compile(r'\b(?:say|label)="([^"]*)"')

#: One sentence, or one with its plural.
Message = str | tuple[str, str]


def messages() -> dict[Message, str]:
    """Each message with the file that it was found in first."""
    found: dict[Message, str] = {}
    for path, message in chain(_python(), _templates(), _games()):
        found.setdefault(message, path)
    return found


def catalog(language: str | None = None) -> Catalog:
    """The messages as a catalog without translations."""
    made = Catalog(locale=language, project="Xent Arena", fuzzy=False)
    for message, path in messages().items():
        made.add(message, locations=[(path, 0)])
    return made


def _python() -> Iterator[tuple[str, Message]]:
    paths = chain((ROOT / "server").rglob("*.py"), (ROOT / "games").rglob("*.py"))
    for path in sorted(each for each in paths if ROOT / "server/api" not in each.parents):  # which speaks English
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                for message in _of_call(node, node.func.id):
                    yield str(path.relative_to(ROOT)), message


def _of_call(node: ast.Call, name: str) -> list[Message]:
    arguments = [list(_literals(node.args[i])) for i in CALLS[name] if i < len(node.args)]
    if name in ("say", "ngettext") and len(arguments) == 2 and all(arguments):
        return [(arguments[0][0], arguments[1][0])]
    return [text for each in arguments for text in each]


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _templates() -> Iterator[tuple[str, Message]]:
    for path in sorted((ROOT / "server/web/templates").rglob("*.html")):
        with path.open("rb") as source:
            for _, _, message, _ in babel_extract(source, ("_", "gettext", "ngettext"), (), JINJA):
                yield str(path.relative_to(ROOT)), _of_template(message)


def _of_template(message: str | tuple[str | None, ...] | None) -> Message:
    """Of a call with variables the extractor gives what stands in each argument."""
    if isinstance(message, str):
        return message
    assert message is not None
    one, many = message[0], message[1]
    assert one is not None
    return (one, many) if many else one


def _games() -> Iterator[tuple[str, Message]]:
    for name in games_catalog.names():
        source = games_catalog.source(name)
        program = parse(source)
        for text in (program.title, *i18n.paragraphs(program.description), *_SAID.findall(source)):
            yield f"games/catalog/{name}.xent", text
