"""The pages in other languages: no sentence is missing, and a page speaks the language that is asked for.

After sentences have changed, `python -m tests.server.test_languages` brings the files of the languages up to date: new
messages stand there without a translation, and those that are gone are taken out.
"""

import re
from collections.abc import Sequence

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from server.web import i18n
from tests.support.messages import catalog

OTHERS = [language for language in i18n.LANGUAGES if language != i18n.SOURCE]
_PLACES = re.compile(r"%\(\w+\)s|\{\w*(?:![rs])?(?::[^}]*)?\}")


def _file(language: str) -> Catalog:
    with (i18n.LOCALES / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated(language: str) -> None:
    known, wanted = _file(language), catalog()
    assert not [message.id for message in wanted if message.id and message.id not in known], "run this module"
    assert not [message.id for message in known if message.id and message.id not in wanted], "run this module"
    assert not [message.id for message in known if message.id and (message.fuzzy or not all(_texts(message.string)))]


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_same_places(language: str) -> None:
    for message in _file(language):
        if not message.id:
            continue
        for string in _texts(message.string):
            assert set(_PLACES.findall(string)) == set(_PLACES.findall(_texts(message.id)[-1])), message.id


def _texts(of: str | Sequence[str] | None) -> Sequence[str]:
    """Of a message, or of its translation: one text, or one for each number."""
    return [of or ""] if of is None or isinstance(of, str) else of


def main() -> None:
    for language in OTHERS:
        path = i18n.LOCALES / f"{language}.po"
        known = _file(language) if path.exists() else Catalog(locale=language)
        known.update(catalog(), no_fuzzy_matching=True, update_creation_date=False)
        known.obsolete.clear()
        with path.open("wb") as target:
            write_po(target, known, width=120, omit_header=False, sort_output=False)


if __name__ == "__main__":
    main()
