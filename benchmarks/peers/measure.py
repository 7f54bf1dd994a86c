"""What the timing benchmarks share: rows in processes of their own, memory, peak, tables."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib import files, provenance

MARK = "row: "
"""Begins a line in which a row's process says what it has measured so far."""


def tell(**values: Any) -> None:
    """Say what was measured so far; the last call counts, whatever happens to the process then."""
    print(MARK + json.dumps(values), flush=True)


def row(
    script: str,
    words: Sequence[Any],
    backend: str = "tensorflow",
    timeout: float = 3600,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run ``script words`` in a fresh process; gives what it told, and a `note` if it failed."""
    command = [sys.executable, script, *map(str, words)]
    # Keras on another backend would bring TensorFlow's memory into the rows of PyTorch.
    environment = {**os.environ, **(environment or {}), "KERAS_BACKEND": backend}
    note = ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=environment
        )
        output = done.stdout
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [""]
            cause = f"signal {-done.returncode}" if done.returncode < 0 else lines[-1][:200]
            note = f"failed: {cause}"
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace")
        note = f"stopped after {timeout:.0f} s"
    told = [line for line in output.splitlines() if line.startswith(MARK)]
    values = json.loads(told[-1].removeprefix(MARK)) if told else {}
    return {**values, "note": note}


def peak_gb() -> float | None:
    """Largest resident memory of this process so far in 10^9 bytes; None where nobody knows."""
    try:
        # Not getrusage: its maximum starts with that of the parent at the time of the fork.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e9, 3)
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most * (1 if sys.platform == "darwin" else 1024) / 1e9, 3)


def time_steps(step: Callable[[], Any], count: int, **known: Any) -> None:
    """Call `step` once and then `count` times; tells the seconds after each, and the memory."""
    seconds: list[float] = []
    for _ in range(count + 1):
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
        later = seconds[1:]
        values = {"min_s": min(later), "median_s": float(np.median(later))} if later else {}
        tell(first_s=seconds[0], **values, rss_gb=peak_gb(), **known)


def matrix_peak(side: int = 2048, repeats: int = 8) -> dict[str, float]:
    """GFLOP/s of TensorFlow's matrix product in float32 and bfloat16, the best of some."""
    import tensorflow as tf

    random = np.random.default_rng(0).random((side, side), dtype=np.float32)
    result = {}
    for kind in ("float32", "bfloat16"):
        matrix = tf.cast(random, kind)
        times = []
        for _ in range(repeats + 1):
            begin = time.perf_counter()
            float(tf.matmul(matrix, matrix)[0, 0])
            times.append(time.perf_counter() - begin)
        result[kind] = 2 * side**3 / min(times) / 1e9
    return result


def merge(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One row from those of all rounds: the least of what is least, the median of medians.

    The first step is that of the first round, before anything is in a cache. A machine that others
    use too makes a run slower, never faster.
    """

    def pick(name: str, choose: Callable) -> Any:
        values = [r[name] for r in rounds if r.get(name) is not None]
        return choose(values) if values else None

    merged = {key: value for r in rounds for key, value in r.items()}
    merged |= {"first_s": pick("first_s", lambda v: v[0]), "min_s": pick("min_s", min)}
    merged |= {"median_s": pick("median_s", lambda v: float(np.median(v)))}
    merged |= {"rss_gb": pick("rss_gb", max)}
    notes = dict.fromkeys(r["note"] for r in rounds if r.get("note"))
    return merged | {"note": "; ".join(notes)}


def show(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> None:
    """Print a table; `columns` gives the format of each column, "" for one of words."""

    def cell(value: Any, form: str) -> str:
        if value is None or value == "":
            return "" if value == "" else "–"
        return format(value, form) if form else str(value)

    table = [list(columns)]
    table += [[cell(r.get(name), form) for name, form in columns.items()] for r in rows]
    wide = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        words = (
            text.rjust(w) if form else text.ljust(w)
            for text, w, form in zip(line, wide, columns.values(), strict=True)
        )
        print("  ".join(words).rstrip())


def goal(what: str, value: float | None, limit: float, least: bool = True) -> dict[str, Any]:
    """One goal: `value` is at least (at most) `limit`; without a value it is missed."""
    met = value is not None and (value >= limit if least else value <= limit)
    return {"goal": what, "value": value, "limit": limit, "least": least, "met": bool(met)}


def show_goals(goals: Sequence[dict[str, Any]]) -> None:
    """Print the goals and whether they are met."""
    for g in goals:
        value = "–" if g["value"] is None else f"{g['value']:.3g}"
        sign = ">=" if g["least"] else "<="
        tail = "" if g["met"] else "  MISSED"
        print(f"{g['goal']}: {value} (goal {sign} {g['limit']:g}){tail}")


def finish(
    given: argparse.Namespace,
    rows: Sequence[dict[str, Any]],
    goals: Sequence[dict[str, Any]],
    **fields: Any,
) -> int:
    """Print the goals, write the results where ``--out`` says; status 1 where a goal is missed."""
    show_goals(goals)
    if given.out:
        arguments = {k: v for k, v in vars(given).items() if k not in ("out", "row", "folder")}
        arguments |= fields.pop("arguments", {})
        write(given.out, rows, arguments=arguments, goals=goals, **fields)
    return 0 if all(g["met"] for g in goals) else 1


def write(folder: Path, rows: Sequence[dict[str, Any]], **fields: Any) -> None:
    """Write table.csv and record.json."""
    import pandas as pd

    files.write_csv(folder / "table.csv", pd.DataFrame(rows))
    peers = {}
    for name in ("monai",):  # the others are in every record
        try:
            peers[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    record = provenance.record(**fields, peers=peers, table=list(rows))
    files.write_json(folder / "record.json", record)
