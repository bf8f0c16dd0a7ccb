"""Tokens end where their characters are complete, and no text can spell a special token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from judge.errors import JudgeError
from judge.loading.tokenizer import Tokens
from tests.judge import tiny

TOKENIZERS = {
    "byte-level": tiny.byte_level().to_str(),
    "sentencepiece": tiny.sentencepiece().to_str(),
}


def _composing() -> str:
    tokenizer = Tokenizer.from_str(TOKENIZERS["byte-level"])
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    text: str = tokenizer.to_str()
    return text


TOKENIZERS["composing"] = _composing()
texts = st.text(max_size=40) | st.text(alphabet="the dragon é́ﬁ日😀👩‍🚀<s>|\n\t ", max_size=40)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=texts)
def test_slices_concatenate_and_ends_never_fall(name: str, text: str) -> None:
    tokens = Tokens.from_json(TOKENIZERS[name])
    ends, ids = tokens.ends(text), tokens.ids(text)
    assert len(ends) == len(ids) == tokens.count(text)
    assert ends == sorted(ends)
    if ids:
        assert ends[-1] == len(text)
        assert "".join(tokens.spelled(text)) == text


@pytest.mark.parametrize("name", ["byte-level", "sentencepiece"])
@given(text=texts)
def test_ids_are_those_that_the_file_gives(name: str, text: str) -> None:
    kind: Any = PreTrainedTokenizerFast
    plain = kind(tokenizer_object=Tokenizer.from_str(TOKENIZERS[name]), split_special_tokens=True)
    expected = plain(text, add_special_tokens=False).input_ids
    assert Tokens.from_json(TOKENIZERS[name]).ids(text) == expected


def test_a_character_belongs_to_the_token_that_completes_it() -> None:
    tokens = Tokens.from_json(TOKENIZERS["byte-level"])
    ends = tokens.ends("a🎸b")
    assert ends == [1, *[1] * (len(ends) - 3), 2, 3]
    assert tokens.spelled("a🎸b")[1:-2] == [""] * (len(ends) - 3)


def test_a_token_that_covers_nothing_ends_at_the_start() -> None:
    tokens = Tokens.from_json(TOKENIZERS["sentencepiece"])
    assert tokens.ends("ab") == [0, 1, 2]
    assert tokens.spelled(" ab") == ["", " ", "a", "b"]


def test_what_a_normalizer_merges_goes_with_the_token_it_is_merged_into() -> None:
    tokens = Tokens.from_json(TOKENIZERS["composing"])
    assert tokens.spelled("xe\u0301x")[0] == "x"
    assert "e\u0301" in tokens.spelled("xe\u0301x")


def test_a_special_token_spelled_out_is_plain_text(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path)
    tokens = Tokens.from_folder(folder)
    assert tokens.id_of(tiny.END) == 0
    assert 0 not in tokens.ids(f"a {tiny.END} b")
    assert "".join(tokens.spelled(f"a {tiny.END} b")) == f"a {tiny.END} b"
    plain = AutoTokenizer.from_pretrained(folder)
    assert 0 in plain(tiny.END).input_ids  # the trap is there
    assert tokens.ids("The dragon") == plain("The dragon", add_special_tokens=False).input_ids


def test_a_folder_without_a_tokenizer_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"has no tokenizer\.json: save"):
        Tokens.from_folder(tmp_path)
    with pytest.raises(JudgeError, match="cannot be read"):
        Tokens.from_json("{}")
