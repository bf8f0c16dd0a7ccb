"""`xentarena bench`: the benchmarks of a source checkout."""

import importlib
import inspect
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from server.errors import CommandError
from xentarena.extras import require


def benchmark(name: str, options: Sequence[str], *, as_json: bool) -> None:
    """Run a benchmark by its `main`: with its own command line, or with `as_json` where it has none.

    Raises CommandError for a name that none has, and for options where it takes none.
    """
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
    if "as_json" not in inspect.signature(main).parameters:
        main([*options, "--json"] if as_json else [*options])
    elif options:
        raise CommandError(f"the benchmark {name} takes no option {options[0]!r}")
    else:
        main(as_json=as_json)
