"""Count the house: modules, lines, import floors, circles, names in two places, tests missing.

    python benchmarks/house.py            # this checkout
    python benchmarks/house.py --root DIR # another one, e.g. an older commit

What it prints is a row of the table by which the layout of the library is judged: nothing is
measured on a clock, so it can run beside anything.
"""

from __future__ import annotations

import argparse
import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

PACKAGE = "ivdlib"
LONGEST = 320
"""Lines that a module may have."""


def modules(root: Path) -> dict[str, Path]:
    """Every module of the library by its dotted name, without `__init__` and `__main__` alone."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, path: Path, known: set[str]) -> Iterator[str]:
    """Modules of the library that one imports, also inside its functions, but for types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found = inner if inner in known else node.module
                if found in known and found != name:
                    yield found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[-len(group) :]
            found.append(group)

    for node in graph:
        if node not in index:
            visit(node)
    return found


def floors(graph: dict[str, set[str]]) -> int:
    """Length of the longest way down, a circle being one floor."""
    groups = circles(graph)  # those below come first
    of = {node: number for number, group in enumerate(groups) for node in group}
    height = [0] * len(groups)
    for number, group in enumerate(groups):
        below = {of[other] for node in group for other in graph[node]} - {number}
        height[number] = 1 + max((height[other] for other in below), default=0)
    return max(height, default=0)


def rooms(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same graph between packages; the files on the ground are one room."""
    packages = {name.split(".")[1] for name in graph if name.count(".") > 1}

    def room(name: str) -> str:
        second = name.split(".")[1]
        return second if second in packages else "ground"

    found: dict[str, set[str]] = defaultdict(set)
    for name, others in graph.items():
        found[room(name)] |= {room(other) for other in others} - {room(name)}
    return dict(found)


def public_names(path: Path) -> set[str]:
    """Functions, classes and constants that a module defines for others."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def without_test(root: Path, known: dict[str, Path]) -> list[str]:
    """Modules with functions or classes and no test file of their name in the same folder."""
    missing = []
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        behaves = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
        folder = root / "tests" / path.relative_to(root / PACKAGE).parent
        test = folder / f"test_{path.stem.removeprefix('_')}.py"
        if behaves and path.stem not in {"__init__", "__main__"} and not test.is_file():
            missing.append(name)
    return missing


def count(root: Path) -> dict[str, object]:
    """All that the table has, by its words."""
    known = modules(root)
    sizes = {name: len(path.read_text(encoding="utf-8").splitlines())
             for name, path in known.items()}  # fmt: skip
    graph = {name: set(imported(name, path, set(known))) for name, path in known.items()}
    for name in (PACKAGE, f"{PACKAGE}.__main__"):  # they see all
        graph.pop(name, None)
    graph = {
        name: others - {PACKAGE, f"{PACKAGE}.__main__", name} for name, others in graph.items()
    }
    places: dict[str, list[str]] = defaultdict(list)
    for name, path in known.items():
        for word in public_names(path):
            places[word].append(name)
    twice = {word: where for word, where in places.items() if len(where) > 1}
    return {
        "modules": len(known),
        "files on the ground": len(list((root / PACKAGE).glob("*.py"))),
        "packages": len(rooms(graph)) - 1,
        "lines": sum(sizes.values()),
        "median lines of a module": int(median(sizes.values())),
        f"modules over {LONGEST} lines": [n for n, size in sizes.items() if size > LONGEST],
        "import floors (modules)": floors(graph),
        "import floors (packages)": floors(rooms(graph)),
        "circles (modules)": [g for g in circles(graph) if len(g) > 1],
        "circles (packages)": [g for g in circles(rooms(graph)) if len(g) > 1],
        "public names in two places": sorted(twice),
        "test files missing": without_test(root, known),
    }


def main() -> None:
    """Print the counts; lists with their length first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    for words, value in count(parser.parse_args().root).items():
        shown = value if not isinstance(value, list) else f"{len(value)}  {value or ''}"
        print(f"{words:28} {shown}")


if __name__ == "__main__":
    main()
