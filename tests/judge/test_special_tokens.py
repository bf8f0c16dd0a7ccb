"""No text spells a special token, whatever kind of tokenizer a judge has and however the token is declared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from judge.judge import Judge, JudgeError, Pair
from judge.loading.tokenizer import HIDDEN, Tokens
from tests.judge import tiny

NAMES = ["<unk>", "<s>", "</s>", "[CLS]", "<|end|>"]
LETTERS = list("</s>unk[CL]|ed xyzé▁")
SPECIALS = [
    AddedToken("<unk>", special=True),
    AddedToken("<s>", special=True, normalized=True),
    AddedToken("</s>", special=True, lstrip=True, rstrip=True),
    AddedToken("[CLS]", special=True, single_word=True),
    AddedToken("<|end|>", special=True, normalized=False),
]


def _bpe(**more: Any) -> models.BPE:
    """A model in which merges lead to `</s>`, and on from there."""
    merges = [("<", "/"), ("s", ">"), ("</", "s>"), ("</s>", "x"), ("<", "s>"), ("e", "x")]
    names = [*NAMES, *(letter for letter in LETTERS if letter not in NAMES), "</", "s>", "</s>x", "ex"]
    vocabulary = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", **more)


def _pieces(start: int = 0) -> dict[str, int]:
    names = [*NAMES, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    return {name: start + index for index, name in enumerate(dict.fromkeys(names))}


def _unigram(**more: Any) -> models.Unigram:
    names = [*NAMES, *(f"<0x{byte:02X}>" for byte in range(256)), *LETTERS, "xyz"]
    return models.Unigram([(name, -float(len(name) < 2)) for name in names], unk_id=0, **more)


MODELS: dict[str, Callable[[], Any]] = {
    "BPE": _bpe,
    "BPE of whole words": lambda: _bpe(ignore_merges=True),
    "WordPiece": lambda: models.WordPiece(_pieces(), unk_token="<unk>"),
    "WordLevel": lambda: models.WordLevel(_pieces(), unk_token="<unk>"),
    "Unigram": _unigram,
    "Unigram with bytes": lambda: _unigram(byte_fallback=True),
}
SPLITS = {"at spaces": pre_tokenizers.WhitespaceSplit(), "nowhere": None, "metaspace": pre_tokenizers.Metaspace()}


def _tokenizer(kind: str, split: str) -> Tokenizer:
    tokenizer = Tokenizer(MODELS[kind]())
    tokenizer.normalizer = normalizers.NFKC()
    if SPLITS[split] is not None:
        tokenizer.pre_tokenizer = SPLITS[split]
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.add_tokens([AddedToken("zzz", normalized=False), AddedToken("yy", lstrip=True, normalized=True)])
    return tokenizer


FULL_WIDTH = "＜/s＞"  # which NFKC makes </s> of
texts = st.lists(st.sampled_from([*NAMES, *LETTERS, FULL_WIDTH, "zzz", "yy", "q", f"{HIDDEN}2"])).map("".join)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", MODELS)
@given(text=texts | st.text(max_size=20))
def test_no_text_spells_a_special_token(kind: str, split: str, text: str) -> None:
    tokens = Tokens.from_json(_tokenizer(kind, split).to_str())
    unknown, *others = (tokens.id_of(name) for name in NAMES)
    assert tokens.special >= {unknown, *others}
    assert not {*others} & {*tokens.ids(text)}
    assert tokens.ends(text)[-1:] in ([], [len(text)])


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", MODELS)
@given(text=st.text(alphabet="exyz dn", max_size=20))
def test_all_other_texts_keep_the_ids_that_the_file_gives(kind: str, split: str, text: str) -> None:
    tokenizer = _tokenizer(kind, split)
    known: Any = PreTrainedTokenizerFast
    expected = known(tokenizer_object=tokenizer)(text, add_special_tokens=False).input_ids
    tokens = Tokens.from_json(tokenizer.to_str())
    assert tokens.ids(text) == expected
    assert tokens.id_of("zzz") == tokenizer.token_to_id("zzz") == tokens.size - 2


@pytest.mark.parametrize(
    ("kind", "settings", "same", "other"),
    [
        ("LlamaTokenizer", {}, "the dragon", " the dragon"),
        ("GPT2Tokenizer", {"add_prefix_space": True}, " the dragon", "the dragon"),
        ("PreTrainedTokenizerFast", {"add_prefix_space": True}, "the dragon", None),
    ],
)
def test_classes_with_rules_of_their_own_differ_where_the_docstring_says(
    kind: str, settings: dict[str, object], same: str, other: str | None, tmp_path: Path
) -> None:
    tokenizer = tiny.sentencepiece() if kind == "LlamaTokenizer" else tiny.byte_level()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind, **settings}))
    theirs, ours = AutoTokenizer.from_pretrained(tmp_path), Tokens.from_folder(tmp_path)
    assert theirs(same, add_special_tokens=False).input_ids == ours.ids(same)
    if other is not None:
        assert theirs(other, add_special_tokens=False).input_ids != ours.ids(other)


def test_a_judge_with_fewer_rows_than_its_tokenizer_has_tokens_is_refused(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens(["<|pad|>"])  # which no text can hold
    tokenizer.save(str(folder / "tokenizer.json"))
    judge = Judge.load(folder, device="cpu")
    assert len(judge.measure([Pair("", "a <|pad|> b")])[0]) == judge.tokens.count("a <|pad|> b")
    assert len(judge.next_logits([[0]])[0]) == rows
    tokenizer.add_tokens(["dragons"])
    tokenizer.save(str(folder / "tokenizer.json"))
    with pytest.raises(JudgeError, match=rf"knows {rows} tokens, but its tokenizer.json gives ids up to {rows + 1}:"):
        Judge.load(folder, device="cpu")


def test_what_the_settings_name_as_special_is_special_also_where_the_tokenizer_does_not_say_so(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path)
    tokenizer = Tokenizer(
        models.Unigram([("<unk>", 0.0), ("</s>", -1.0), *((letter, -2.0) for letter in "</s>the ")], 0)
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {"eos_token": {"content": "</s>"}, "unk_token": "<unk>", "pad_token": None, "sep_token": " "}
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    judge = Judge.load(folder, device="cpu")
    assert judge.tokens.id_of("</s>") == 1
    assert 1 not in judge.tokens.ids("the </s>")
    assert Tokens.from_json(judge.tokenizer_json).ids("the </s>") == judge.tokens.ids("the </s>")
    assert judge.tokens.spelled("e </s>") == list("e </s>")
