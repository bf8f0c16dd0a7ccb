"""In which language a page is. English stands in the code; the others in locales/*.po, one file a language.

A page is made in the language that its request asks for: by a cookie, else by what the browser prefers. It is kept in
a context variable, which the threads that read the database inherit.
"""

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from math import ceil
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from games.sentences import Sentence, listed
from server.http.public_address import path_of

LOCALES = Path(__file__).parent / "locales"
COOKIE = "language"
SOURCE = "en"
#: Code → its own name. A file in locales/ for each but the first.
LANGUAGES = {SOURCE: "English", "de": "Deutsch", "fr": "Français"}

_language: ContextVar[str] = ContextVar("language", default=SOURCE)
_QUALITY = re.compile(r";\s*q=([0-9.]+)")
_NUMBER = re.compile(r"[+−-]?\d[\d,]*(\.\d+)?")


class Languages:
    """Sets the language of every request that is not to the API, which speaks English."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not path_of(scope).startswith("/api/"):
            _language.set(asked_for(HTTPConnection(scope)))
        await self._app(scope, receive, send)


def asked_for(request: HTTPConnection) -> str:
    """The language of the cookie, if it is one that is there; else the first of the browser's that is; else English."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return negotiate_locale(_preferred(request.headers.get("accept-language", "")), list(LANGUAGES), "-") or SOURCE


def _preferred(header: str) -> list[str]:
    """The languages of an Accept-Language, the most wanted first; those with quality 0 left out."""
    found = []
    for part in header[:1000].split(","):
        code, quality = part.partition(";")[0].strip(), _QUALITY.search(part)
        found.append((float(quality[1].strip(".") or 0) if quality else 1.0, code))
    return [code for weight, code in sorted(found, key=lambda each: -each[0]) if weight and code]


def current() -> str:
    """The code of the language that is spoken now."""
    return _language.get()


@cache
def translations(language: str) -> NullTranslations:
    """What is said in a language; of English nothing, for it stands in the code."""
    if language == SOURCE:
        return NullTranslations()
    with (LOCALES / f"{language}.po").open("rb") as source:
        catalog = read_po(source, locale=language)
    packed = BytesIO()
    write_mo(packed, catalog)
    packed.seek(0)
    return GNUTranslations(packed)


def gettext(message: str) -> str:
    """The message in the language of now, or as it is."""
    return translations(current()).gettext(message) if message else message


def ngettext(one: str, many: str, count: int) -> str:
    return translations(current()).ngettext(one, many, count)


def mark(message: str) -> str:
    """A message that is translated where it is shown."""
    return message


def _(message: str, /, **values: object) -> str:
    """A sentence of the pages, and what stands in its places."""
    return gettext(message).format(**values) if values else gettext(message)


def translated(text: str) -> str:
    """A sentence that another room made, in the language of now. Texts that are no such sentence stay as they are."""
    if not isinstance(text, Sentence):
        return gettext(text)
    values = {name: _value(value) for name, value in text.values.items()}
    if text.plural is None:
        return gettext(text.template).format_map(values)
    count = text.values["count"]
    assert isinstance(count, int | float)
    return ngettext(text.template, text.plural, ceil(abs(count))).format_map(values)


def _value(value: object) -> object:
    if isinstance(value, tuple):
        return listed(tuple(map(translated, value)))
    if isinstance(value, Sentence):
        return translated(value)
    return localised(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def front_page(description: str) -> str:
    """A game's Markdown, paragraph by paragraph in the language of now as far as it is known there."""
    return "\n\n".join(map(gettext, paragraphs(description)))


def paragraphs(description: str) -> Sequence[str]:
    return description.split("\n\n")


def localised(number: str) -> str:
    """A number as English writes it, written as the language of now does."""
    return number.translate(_signs(current()))


@cache
def _signs(language: str) -> Mapping[int, str]:
    locale = Locale.parse(language)
    return str.maketrans({".": get_decimal_symbol(locale), ",": get_group_symbol(locale)})
