"""Training in miniature: from a text file to a judge that transformers loads, in seconds and in one thread."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from judge.judge import Judge, Pair
from judge.training.__main__ import main, parser
from judge.training.corpus import Data
from judge.training.data import Document, build_stream, encode, read_documents, split_held_out, weigh, windows
from judge.training.evaluate import bytes_per_token, evaluate, total
from judge.training.model import Shape, load_weights, make_model, save_folder, shape_of
from judge.training.optimizer import make_optimizers, rate
from judge.training.primed import encode_primed, primed
from tests.support.frames import framed, hint_in

SUBJECTS = ["The miller", "A tall woman", "Old Peter", "The queen’s cousin", "Nobody"]
VERBS = ["carried", "painted", "forgot", "wanted to sell", "had never seen"]
OBJECTS = ["the red boat.", "a heavy door!", "three apples.", "the letter from Lisbon.", "his own hat."]
SMALL = ("--width", "32", "--layers", "1", "--heads", "2", "--feed-forward", "48", "--context", "64", "--vocab", "300")
QUICK = ("--batch", "1024", "--micro", "512", "--short", "32", "--warm-up", "2048", "--primed", "40", "--no-compile")


def sample_text(sentences: int = 1500) -> str:
    rng = random.Random(5)
    return " ".join(f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)}" for _ in range(sentences))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The losses of two runs can be equal only when sums are taken in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(folder: Path, name: str, *more: str, tokens: int = 20_480) -> Path:
    """Train in `folder/name` on `folder/text.txt`; the judge is then in `folder/name/judge`."""
    text = folder / "text.txt"
    if not text.exists():
        text.write_text(sample_text(), encoding="utf-8")
    work = folder / name
    given = ("--text", str(text), "--work", str(work), "--out", str(work / "judge"), "--device", "cpu")
    main([*given, *SMALL, *QUICK, "--dtype", "float32", "--tokens", str(tokens), *more])
    return work


def losses(work: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (work / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return run(tmp_path_factory.mktemp("train"), "whole")


def test_the_loss_falls_and_the_figures_are_kept(trained: Path) -> None:
    found = losses(trained)
    assert found[-1] < 0.7 * found[0]
    figures = json.loads((trained / "figures.json").read_text())
    assert figures["tokens"] == 20_480
    assert figures["bits_per_byte"]["all"] < 4  # 8 is what knowing nothing costs


def test_transformers_loads_the_folder_and_finds_the_bits_that_the_measure_finds(trained: Path) -> None:
    folder = trained / "judge"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prefix, text = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in ("hat. ", "Old Peter forgot"))
    ids = torch.tensor([[tokenizer.bos_token_id, *prefix, *text]])
    with torch.no_grad():
        surprise = -torch.log2(model(input_ids=ids).logits[0, :-1].softmax(-1))
    plain = surprise.gather(1, ids[0, 1:, None])[-len(text) :, 0]
    measured = Judge.load(folder, device="cpu").measure([Pair("hat. ", "Old Peter forgot")])[0]
    assert measured == pytest.approx(plain.tolist(), abs=1e-4)


def test_the_folder_holds_float16_and_nothing_but_what_a_judge_needs(trained: Path) -> None:
    names = {file.name for file in (trained / "judge").iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    config = json.loads((trained / "judge" / "config.json").read_text())
    assert (config["dtype"], config["direction"], config["max_position_embeddings"]) == ("float16", "forward", 64)


def test_a_run_cut_off_and_resumed_has_the_losses_of_a_run_that_was_not(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(sample_text(), encoding="utf-8")
    run(tmp_path, "cut", "--stop-after", "9216")
    assert not (tmp_path / "cut" / "judge").exists()
    resumed = run(tmp_path, "cut")
    assert losses(resumed) == pytest.approx(losses(trained), abs=1e-6)


def test_while_the_rate_is_level_a_resumed_run_may_be_made_longer(tmp_path: Path) -> None:
    run(tmp_path, "longer", "--stop-after", "5120", tokens=10_240)
    work = run(tmp_path, "longer", tokens=12_288)
    assert json.loads((work / "figures.json").read_text())["tokens"] == 12_288


def test_a_judge_can_be_trained_further_from_another(trained: Path, tmp_path: Path) -> None:
    more = run(tmp_path, "more", "--base", str(trained / "judge"), tokens=2_048)
    assert losses(more)[0] < 0.7 * losses(trained)[0]
    same = (trained / "judge" / "tokenizer.json").read_bytes()
    assert (
        Tokenizer.from_str(same.decode()).get_vocab()
        == Tokenizer.from_file(str(more / "judge" / "tokenizer.json")).get_vocab()
    )


def test_the_usual_dtype_is_bfloat16_and_primed_passages_can_be_left_out(tmp_path: Path) -> None:
    found = losses(run(tmp_path, "half", "--dtype", "bfloat16", "--primed", "0", tokens=8_192))
    assert found[-1] < found[0]


def test_a_run_makes_as_many_primed_passages_as_it_reads(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(sample_text(), encoding="utf-8")
    given = ["--text", tmp_path / "text.txt", "--work", tmp_path / "work", "--out", tmp_path / "judge"]
    more = ["--tokens", "25600", "--primed-share", "0.5"]
    Data(parser().parse_args([*map(str, given), *SMALL, *more]), lead=True)
    assert len(torch.load(tmp_path / "work" / "tokens.pt")["primed"]) == 25_600 * 0.5 / 128


def test_windows_that_do_not_fill_a_pass_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--micro 100 is not a multiple of --short 32"):
        run(tmp_path, "odd", "--micro", "100")


def test_a_backward_judge_says_so_and_reads_from_the_right(tmp_path: Path) -> None:
    work = run(tmp_path, "back", "--direction", "backward")
    judge = Judge.load(work / "judge", device="cpu")
    assert judge.direction == "backward"
    sense, nonsense = judge.measure(
        [Pair("", "Old Peter forgot his own hat."), Pair("", "hat. own his forgot Peter Old")]
    )
    assert sum(sense) < sum(nonsense)


def test_a_folder_holds_the_model_that_was_saved(tmp_path: Path) -> None:
    shape = Shape(vocab=300, width=32, layers=2, heads=2, feed_forward=48, context=64)
    model = make_model(shape, seed=3)
    for name, parameter in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(len(name)))
        parameter.data = parameter.data.half().float()  # what is on disk is float16
    save_folder(model, shape, small_tokenizer(), "forward", tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    ids = torch.randint(300, (2, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(model(ids).logits, theirs(input_ids=ids).logits, atol=1e-5)
    again = make_model(shape_of(tmp_path, 64), seed=4)
    load_weights(again, tmp_path)
    assert torch.equal(again(ids).logits, model(ids).logits)


def small_tokenizer(vocab: int = 300) -> Tokenizer:
    from judge.training.data import train_tokenizer

    return train_tokenizer([Document("a", sample_text(200))], {}, vocab)


def test_windows_follow_from_seed_and_position_alone() -> None:
    stream = torch.arange(1, 2001, dtype=torch.int32)
    first = windows(stream, 640, 4, 32, seed=7, bos_share=0.5)
    windows(stream, 99_999, 4, 32, seed=7, bos_share=0.5)
    assert torch.equal(first, windows(stream, 640, 4, 32, seed=7, bos_share=0.5))
    assert first.shape == (4, 33)


def test_an_epoch_reads_every_window_once_and_most_begin_with_bos() -> None:
    stream = torch.arange(1, 6500, dtype=torch.int32)
    count = (len(stream) - 33) // 32
    batch = windows(stream, 0, count, 32, seed=1, bos_share=0.8)
    assert len(set(batch[:, 1].tolist())) == count
    assert 0.7 < (batch[:, 0] == 0).float().mean() < 0.9


def test_a_text_too_short_for_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="too few for one window of 32"):
        windows(torch.ones(10, dtype=torch.int32), 0, 1, 32, seed=0, bos_share=1.0)


def test_a_weight_repeats_documents_and_the_first_pattern_that_fits_counts() -> None:
    weights = {"novels/*": 1, "*": 3}
    assert (weigh("novels/Emma", weights), weigh("physics", weights), weigh("x", {})) == (1, 3, 1)
    pieces = [torch.tensor([5, 6], dtype=torch.int32), torch.tensor([7], dtype=torch.int32)]
    stream = build_stream(pieces, [1, 3], seed=0)
    assert sorted(stream.tolist()) == [0, 0, 0, 0, 5, 6, 7, 7, 7]


def test_reading_takes_plain_and_compressed_files_and_names_their_sources(tmp_path: Path) -> None:
    import gzip
    import lzma

    line = json.dumps({"source": "made up", "text": "Über alles"}) + "\n"
    (tmp_path / "a.jsonl.xz").write_bytes(lzma.compress(line.encode()))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    (tmp_path / "c.txt").write_text("plain", encoding="utf-8")
    found = read_documents([tmp_path])
    assert found == [Document("made up", "Über alles")] * 2 + [Document("c.txt", "plain")]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no text in"):
        read_documents([tmp_path / "empty"])


def test_without_a_held_out_file_a_fiftieth_is_kept_back() -> None:
    training, held_out = split_held_out([Document("a", sample_text())])
    kept = sum(len(piece.text) for piece in held_out)
    assert 0 < kept < 0.05 * sum(len(piece.text) for piece in training)


def test_bits_per_byte_count_every_byte_of_the_text_and_every_token_once() -> None:
    text = "Nobody had never seen the naïve café 🎲. " * 40
    tokenizer = small_tokenizer()
    ids = encode(tokenizer, [Document("a", text)], backward=False)
    scores = evaluate(lambda batch: torch.zeros(*batch.shape, 300), {"a": ids}, bytes_per_token(tokenizer))
    assert scores["a"].bytes == len(text.encode())
    assert scores["a"].bits == pytest.approx(len(ids[0]) * torch.log2(torch.tensor(300.0)).item(), rel=1e-6)
    assert total(scores) == scores["a"]


def test_primed_passages_are_whole_sentences_after_words_of_their_neighbourhood_in_the_games_frame() -> None:
    text = sample_text()
    found = primed([Document("a", text)], {}, 40, seed=2)
    assert len(found) > 25
    assert all(passage.text in text for passage in found)
    hints = [hint_in(passage.prefix) for passage in found]
    assert [framed(hint) for hint in hints] == [passage.prefix for passage in found]
    vocabulary = set(text.lower().replace(".", "").replace("!", "").replace("’", " ").replace(",", "").split())
    words = {word.strip(".,!") for hint in hints for word in hint.lower().replace("’", " ").split()}
    assert words <= vocabulary
    assert 2 < hints.count("") < len(hints) / 2


def test_a_backward_judge_sees_the_prefix_first_and_each_part_reversed() -> None:
    tokenizer = small_tokenizer()
    found = primed([Document("a", sample_text())], {}, 5, seed=3)
    for passage, ids in zip(found, encode_primed(tokenizer, found, backward=True), strict=True):
        parts = [tokenizer.encode(part, add_special_tokens=False).ids for part in (passage.prefix, passage.text)]
        assert ids.tolist() == parts[0][::-1] + parts[1][::-1]


def test_muon_gets_the_matrices_of_the_layers_and_adamw_the_rest() -> None:
    model = make_model(Shape(vocab=300, width=32, layers=2, heads=2, feed_forward=48, context=64))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    muon, adamw = (
        {names.pop(id(parameter)) for group in optimizer.param_groups for parameter in group["params"]}
        for optimizer in make_optimizers(model, 0.02, 0.004)
    )
    assert not names
    assert len(muon) == 2 * 7
    assert adamw == {
        "model.embed_tokens.weight",
        "model.norm.weight",
        *(f"model.layers.{n}.{norm}_layernorm.weight" for n in range(2) for norm in ("input", "post_attention")),
    }


def test_a_new_judge_starts_from_its_seed_and_every_layer_as_the_identity() -> None:
    shape = Shape(vocab=300, width=32, layers=2, heads=2, feed_forward=48, context=64)
    one, same, other = (make_model(shape, seed) for seed in (1, 1, 2))
    ids = torch.arange(64)[None]
    embedded = one.model.embed_tokens(ids)
    with torch.no_grad():
        assert torch.equal(one(ids).logits, same(ids).logits)
        assert not torch.equal(one(ids).logits, other(ids).logits)
        assert torch.equal(
            one.model.layers[1](embedded, position_embeddings=one.model.rotary_emb(embedded, ids)), embedded
        )


def test_a_checkpoint_of_another_version_is_refused(tmp_path: Path) -> None:
    work = run(tmp_path, "old", "--stop-after", "1024")
    state = torch.load(work / "checkpoint.pt")
    del state["format"]
    torch.save(state, work / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"checkpoint\.pt was written by another version .* an empty --work folder"):
        run(tmp_path, "old")


def test_the_rate_goes_up_stays_and_falls_to_nothing() -> None:
    at = [rate(seen, total=1000, warm_up=100, decay=0.4) for seen in (0, 49, 100, 600, 800, 1000)]
    assert at == pytest.approx([0.01, 0.5, 1.0, 1.0, 0.5, 0.0])


def test_help_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    for option in ("--text", "--work", "--out", "--weight", "--direction", "--tokens", "torchrun"):
        assert option in shown


@pytest.mark.slow
def test_a_judge_trained_in_miniature_hosts_a_round(trained: Path) -> None:
    shown = subprocess.run(
        [
            *(sys.executable, "-m", "server.cli", "play", "condense", "--judge", str(trained / "judge")),
            *("--story", "Old Peter forgot the red boat.", "--move", "harbour", "--json"),
        ],
        capture_output=True, text=True, check=True, timeout=100,
    ).stdout  # fmt: skip
    assert json.loads(shown)["status"] == "scored"
