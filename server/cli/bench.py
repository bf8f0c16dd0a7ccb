"""`xentarena bench`: the benchmarks of a source checkout."""

import importlib
import inspect
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from server.errors import CommandError
from xentarena.extras import require


def benchmark(name: str, *, as_json: bool) -> None:
    """Run a benchmark: its `main(as_json)`, or its own command line. Raises CommandError for a name that none has."""
    spec = find_spec("benchmarks")
    if spec is None:
        raise CommandError(
            "the benchmarks come with the source, not with the installed package: in a checkout of it, with what"
            " `make play` installed there, say .venv/bin/xentarena bench NAME"
        )
    folders = [Path(each) for each in spec.submodule_search_locations or ()]
    known = sorted(file.stem for folder in folders for file in folder.glob("*.py") if not file.name.startswith("_"))
    if name not in known:
        raise CommandError(f"no benchmark {name!r}: there is {', '.join(known) or 'none'}")
    require("server", "judge")
    main: Callable[..., Any] = importlib.import_module(f"benchmarks.{name}").main
    if "as_json" in inspect.signature(main).parameters:
        main(as_json=as_json)
    else:
        main(["--json"] if as_json else [])
