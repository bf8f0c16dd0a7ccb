"""The texts of one run: read, spelled and kept in its work folder."""

import argparse
import logging
from collections import defaultdict

import torch
from tokenizers import Tokenizer
from torch import Tensor

from judge.training.data import (
    Document,
    build_stream,
    encode,
    read_documents,
    replace,
    split_held_out,
    train_tokenizer,
    weigh,
)
from judge.training.distributed import barrier
from judge.training.evaluate import bytes_per_token
from judge.training.primed import encode_primed, primed

log = logging.getLogger("judge.training")

PRIMED_TOKENS = 128  # of a primed passage, about


class Data:
    """The tokenised texts of one run, kept in its work folder so that a resumed run starts at once."""

    def __init__(self, args: argparse.Namespace, lead: bool) -> None:
        self.backward = args.direction == "backward"
        if lead:
            self._prepare(args)
        barrier()
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(args.work / "tokenizer.json"))
        kept = torch.load(args.work / "tokens.pt")
        self.stream = build_stream(kept["train"], kept["times"], args.seed)
        self.primed = build_stream(kept["primed"], [1] * len(kept["primed"]), args.seed)
        self.held_out: dict[str, list[Tensor]] = kept["held_out"]
        self.byte_counts = bytes_per_token(self.tokenizer)

    def _prepare(self, args: argparse.Namespace) -> None:
        args.work.mkdir(parents=True, exist_ok=True)
        if (args.work / "tokens.pt").exists():
            return
        training, held_out = _documents(args)
        weights = dict(args.weight)
        given = args.tokenizer or (args.base / "tokenizer.json" if args.base else None)
        tokenizer = Tokenizer.from_file(str(given)) if given else train_tokenizer(training, weights, args.vocab)
        log.info("%d documents, %d held out, %d tokens to spell them", len(training), len(held_out), args.vocab)
        by_source: dict[str, list[Document]] = defaultdict(list)
        for document in held_out:
            by_source[document.source].append(document)
        count = args.primed
        if count is None:
            count = round(args.tokens * args.primed_share / PRIMED_TOKENS)
        kept = {
            "train": encode(tokenizer, training, self.backward),
            "times": [weigh(document.source, weights) for document in training],
            "primed": encode_primed(tokenizer, primed(training, weights, count, args.seed), self.backward),
            "held_out": {source: encode(tokenizer, group, self.backward) for source, group in by_source.items()},
        }
        tokenizer.save(str(args.work / "tokenizer.json"))
        replace(args.work / "tokens.pt", kept)


def _documents(args: argparse.Namespace) -> tuple[list[Document], list[Document]]:
    if args.heldout:
        return read_documents(args.text), read_documents(args.heldout)
    return split_held_out(read_documents(args.text))
