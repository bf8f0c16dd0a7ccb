"""The passages that ship: forty, in five kinds, each with a field of words that it does not use itself."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import judge
from games.library import Kind, Level, Passage, load

PASSAGES = load()


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())


def test_there_are_eight_of_each_kind_from_easy_to_hard() -> None:
    assert Counter(passage.kind for passage in PASSAGES) == dict.fromkeys(Kind, 8)
    for kind in Kind:
        levels = [list(Level).index(passage.level) for passage in PASSAGES if passage.kind is kind]
        assert levels == sorted(levels)
        assert set(levels) == {0, 1, 2}


def test_ids_titles_and_texts_are_distinct_and_sources_named() -> None:
    for name in ("id", "title", "text"):
        assert len({getattr(passage, name) for passage in PASSAGES}) == 40
    assert all(passage.source and passage.title == passage.title.strip() for passage in PASSAGES)


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: passage.id)
def test_a_passage_has_60_to_120_judge_tokens(passage: Passage) -> None:
    tokenizer = Tokenizer.from_file(str(Path(judge.__file__).parent / "pocket" / "tokenizer.json"))
    assert 60 <= len(tokenizer.encode(passage.text, add_special_tokens=False).ids) <= 120


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: passage.id)
def test_the_words_of_its_field_are_not_in_the_passage(passage: Passage) -> None:
    assert 5 <= len(passage.field) <= 8
    assert not {word.casefold() for word in passage.field} & set(words(passage.text))


def test_passages_are_plain_text() -> None:
    for passage in PASSAGES:
        assert passage.text == " ".join(passage.text.split())
        assert passage.text[0].isupper()
        assert passage.text[-1] in ".'"
