"""What an extra of pyproject.toml brings, one requirement a line: `packages.py server`. For the images' builds."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]


def required(extra: str) -> Iterator[str]:
    for each in PROJECT["optional-dependencies"][extra]:
        own = re.fullmatch(rf"{PROJECT['name']}\[(.*)\]", each)
        if own is None:
            yield each
        else:
            for other in own[1].split(","):
                yield from required(other.strip())


if __name__ == "__main__":
    sys.stdout.write("\n".join([*PROJECT["dependencies"], *required(sys.argv[1])]) + "\n")
