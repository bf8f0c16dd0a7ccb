"""A chat model on this machine: a judge's folder that has a template of how messages are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from judge.errors import JudgeError, TooLong
from judge.loading import source


class Chat:
    """Answers messages of role and content. Not to be shared between threads."""

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:
        self.name = name
        self._model, self._tokenizer = model, tokenizer

    @classmethod
    def load(cls, name: str | Path) -> Chat:
        """An installed judge's name, or a folder. Raises JudgeError, also where it knows no template."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        found = source.find(name)
        tokenizer: Any = AutoTokenizer.from_pretrained(found.folder, local_files_only=True)
        if not tokenizer.chat_template:
            raise JudgeError(f"{found.name} is no chat model: it has no template of how messages are written")
        found.weights()
        model: Any = AutoModelForCausalLM.from_pretrained(found.folder, dtype=torch.float32, local_files_only=True)
        return cls(found.name, model.eval(), tokenizer)

    def answer(
        self, messages: Sequence[Mapping[str, str]], most: int, temperature: float, seed: int
    ) -> tuple[str, int, int]:
        """At most so many tokens: their text, and how many were read and written. temperature: 0: the likeliest ones;
        else drawn by `seed`. Raises TooLong."""
        read: Any = self._tokenizer.apply_chat_template(
            [dict(each) for each in messages], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        length, context = read["input_ids"].shape[1], self._model.config.max_position_embeddings
        if length + most > context:
            raise TooLong(bos=0, prefix=length, text=most, context=context, before="prompt")
        drawn = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature > 0 else {"do_sample": False}
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            written = self._model.generate(
                **read, max_new_tokens=most, pad_token_id=self._tokenizer.eos_token_id, **drawn
            )[0, length:]
        return self._tokenizer.decode(written, skip_special_tokens=True), length, len(written)
