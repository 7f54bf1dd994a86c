"""The way of a call through the library: which functions run, in which modules and packages.

    python benchmarks/way.py                 # load_cases and predict, this checkout
    python benchmarks/way.py --root DIR      # another one, e.g. an older commit

A phantom of two scans is made; `ivdlib.load_cases` and the command `predict` (with the small
weights of the tests) run over it under `sys.setprofile`, which sees every call.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import os
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
WEIGHTS = sorted((HERE / "tests" / "training" / "old_weights").rglob("*.weights.h5"))


def watched(library: Path, call: Callable[[], object]) -> tuple[dict[str, set[str]], int]:
    """Functions by module that a call enters, and how often it goes from one module to another."""
    found: dict[str, set[str]] = defaultdict(set)
    moves, inside = 0, ""

    def see(frame, event, _) -> None:
        nonlocal moves, inside
        path = frame.f_code.co_filename
        is_function = (
            frame.f_code.co_flags & inspect.CO_OPTIMIZED and "<" not in frame.f_code.co_name
        )
        if event != "call" or not path.startswith(str(library)) or not is_function:
            return
        module = Path(path).relative_to(library).with_suffix("").as_posix()
        found[module].add(frame.f_code.co_qualname)
        moves += module != inside
        inside = module

    threading.setprofile(see)
    sys.setprofile(see)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return dict(found), moves


def show(name: str, found: dict[str, set[str]], moves: int) -> None:
    """A line for the call, then one for each package."""
    count = sum(map(len, found.values()))
    print(f"\n{name}: {count} functions in {len(found)} modules, {moves} moves between modules")
    rooms: dict[str, list[str]] = defaultdict(list)
    for module, functions in found.items():
        package, _, rest = module.partition("/")
        rooms[package if rest else "(ground)"].append(f"{rest or package} {len(functions)}")
    for package, modules in rooms.items():
        print(f"  {package:14} {', '.join(modules)}")


def main() -> None:
    """Make the phantom, then watch both calls."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=HERE)
    root = parser.parse_args().root.resolve()
    sys.path.insert(0, str(root))
    os.environ |= {"IVDLIB_PROGRESS": "off", "PYTHONWARNINGS": "ignore"}
    import ivdlib
    from ivdlib import cli

    library = Path(ivdlib.__file__).parent
    with tempfile.TemporaryDirectory() as place:
        data = Path(place, "data")
        ivdlib.make_phantom(data, subjects=2, stages=1, slices=4, in_plane=64, workers=1)
        words = ["predict", str(data), "--weights", str(WEIGHTS[-1]), "--no-region", "--out"]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            cli.main([*words, f"{place}/first"])  # what imports do is no part of the way
            loading = watched(library, lambda: ivdlib.load_cases(data))
            predicting = watched(library, lambda: cli.main([*words, f"{place}/out"]))
        show("load_cases", *loading)
        show("predict", *predicting)


if __name__ == "__main__":
    main()
