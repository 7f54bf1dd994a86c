"""AUDIT.md: every claim of the paper with its verdict and where the evidence lies."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ivdlib import audit, claims, cost, files, models, tables
from ivdlib.errors import DataError
from ivdlib.statistics import LEVEL

HEAD = """# The audit

Wang, Gu & Li, "Automated Segmentation of Intervertebral Disc Using Fully Dilated Separable Deep
Neural Networks": each claim *supported*, *not supported*, or not tested, on the data named beside
it. Made by `make audit` from the records in the folders below; no number here is typed in.

**How a comparison is judged.** {rules}
"""

RULES = f"""The patient is the unit: seeds, contrasts and scans of a patient are averaged first.
Given are the mean paired difference over patients, its {LEVEL:.0%} interval (Student's t) and the p
of the exact sign-flip test, which with n patients cannot fall below 2/2ⁿ. *Supported* means that
the interval lies above zero; for a claim that something costs nothing, above −{claims.NO_WORSE:g}.
Two comparisons were fixed before any result was seen (marked ●); the others are descriptive, and
one interval in twenty leaves zero out by chance. Folds share training patients, so patients are not
quite independent. The last weights count; nothing was chosen on the patients that test."""

UNTESTED = (
    ("no pre-training is needed", "Sect. 2.2",
     "every network here starts from random weights, so nothing speaks against it; whether "
     "pre-training would do better was not tried: no pre-trained single-channel Xception is at "
     "hand"),
    ("the numbers of Tables 1 to 3 themselves", "Sect. 3.3",
     "they rest on the challenge's 16 scans, which cannot be downloaded; whoever has them runs "
     "`ivdlib grid --profile paper --data DIR`"),
    ("a rank in the challenge", "title", "the hidden scans were never released"),
)  # fmt: skip


def experiments(
    folder: str | os.PathLike, inner: bool = False
) -> dict[str, tuple[dict, pd.DataFrame]]:
    """Find the experiments of a folder, or those on inner patients: record and metrics by name."""
    found = {}
    for path in sorted(Path(folder).glob("*/record.json")):
        metrics = path.parent / "metrics.csv"
        record = files.read_json(path)
        profile = record.get("config", {}).get("profile", {})
        if metrics.is_file() and profile and bool(profile.get("inner")) == inner:
            found[path.parent.name] = record, tables.read(metrics)
    return found


def write(folder: str | os.PathLike) -> Path:
    """Write ``AUDIT.md`` into a folder of experiments.

    Parameters
    ----------
    folder : path
        Holds one folder an experiment, as `Experiment` writes them.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        Where no experiment is finished.
    """
    found = experiments(folder)
    if not found:
        raise DataError(f"{folder} holds no finished experiment; run make audit first.")
    judged = audit.table({name: metrics for name, (_, metrics) in found.items()})
    parts = [
        HEAD.format(rules=RULES),
        _claims(judged),
        _spine(audit.spine(found)),
        _cost(),
        _untested(),
        _choices(experiments(folder, inner=True)),
        *(_experiment(name, record, metrics) for name, (record, metrics) in found.items()),
    ]
    path = Path(folder) / "AUDIT.md"
    files.write_text(path, "\n".join(parts))
    files.write_csv(Path(folder) / "audit.csv", judged)
    return path


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [tables.line(heads), "|" + "---|" * len(heads), *map(tables.line, rows)]
    return "\n".join(lines) + "\n"


def _claims(judged: pd.DataFrame) -> str:
    rows = []
    for row in judged.itertuples():
        if row.patients == 0:
            continue
        interval = f"[{row.low:+.4f}, {row.high:+.4f}]" if np.isfinite(row.low) else "–"
        claim = ("● " if row.fixed else "") + f"{row.claim} ({row.source})"
        numbers = f"{row.mean:+.4f}", interval, f"{row.p:.3f}", str(row.patients)
        rows.append((claim, row.difference, row.data, *numbers, row.verdict))
    numbers = ("mean", "interval", "p", "n")
    heads = ("claim", "difference of the mean Dice", "data", *numbers, "verdict")
    return "## Claims that compare\n\n" + _table(heads, rows)


def _spine(rows: pd.DataFrame) -> str:
    """What pre-segmentation of the spine is worth (Sect. 2.1)."""
    if rows.empty:
        return ""
    cells = (
        (
            row.data, row.use, f"{row.discs_inside:.2%}", f"{row.region_share:.0%}",
            f"{row.dice:.4f}", f"{row.mean:+.4f} [{row.low:+.4f}, {row.high:+.4f}]",
            str(row.patients),
        )
        for row in rows.itertuples()
    )  # fmt: skip
    heads = ("data", "region of the spine", "disc voxels inside", "share of the image",
             "Dice of FDS-CNN", "difference to none", "n")  # fmt: skip
    return "## Pre-segmentation of the spine\n\n" + _table(heads, cells)


def _cost() -> str:
    """Claims about cost, computed from the networks."""
    ours = models.build("fds_cnn", "paper")
    separable = cost.savings(ours)
    times = separable["times"]
    within = int(times.between(8, 9).sum())
    rows = cost.comparison().set_index(["network", "size"])
    mine = rows.loc[("FDS-CNN", "paper")]
    deep = rows.loc[("DeepLabv3+", "as published")]
    total = separable["standard"].sum() / separable["multiply_adds"].sum()
    mine_macs, deep_macs = (f"{row.multiply_adds / 1e9:.1f}·10⁹" for row in (mine, deep))
    lines = (
        (
            "separable convolutions have “8 to 9 times less” computation (Sect. 2.2)",
            f"{within} of {len(times)} layers lie between 8 and 9 times, {total:.1f} in all; "
            f"the least is {times.min():.1f} (fewest filters)",
            "supported" if within == len(times) else "supported but for the others",
        ),
        (
            "lower complexity (Sect. 2.2)",
            f"{mine.parameters:,} parameters and {mine_macs} multiply–adds a tile; DeepLabv3+ as "
            f"published {deep.parameters:,} and {deep_macs}",
            f"parameters: {deep.parameters / mine.parameters:.1f} times fewer; multiply–adds: "
            f"{mine.multiply_adds / deep.multiply_adds:.1f} times as many",
        ),
    )
    return "## Claims about cost, computed\n\n" + _table(("claim", "found", "verdict"), lines)


def _untested() -> str:
    rows = ((f"{claim} ({source})", why) for claim, source, why in UNTESTED)
    return "## What cannot be tested here\n\n" + _table(("claim", "why"), rows)


def _choices(found: dict[str, tuple[dict, pd.DataFrame]]) -> str:
    """Show what was chosen on inner patients: the learning rate of the experiments on the data."""
    if not found:
        return ""
    rows = []
    for name, (record, metrics) in found.items():
        training = record["config"]["profile"]["training"]
        means = audit.patients(metrics).mean()
        cells = (", ".join(f"{column} {value:.4f}" for column, value in means.items()),)
        rows.append((name, f"{training['learning_rate']:g}", str(training["steps"]), *cells))
    heads = ("experiment", "rate", "steps", "mean Dice on inner patients")
    text = (
        "## Chosen on inner patients\n\nOf each fold's training patients one was set aside for "
        "this; the patients that test had no part in it.\n\n"
    )
    return text + _table(heads, rows)


def _experiment(name: str, record: dict, metrics: pd.DataFrame) -> str:
    """Show every patient of an experiment, and what the experiment was."""
    found = audit.patients(metrics)
    profile = record["config"]["profile"]
    training = profile["training"]
    seconds = record.get("seconds", 0.0)
    lines = [
        f"## {name}",
        "",
        f"Data: {record['data']}{' (phantom)' if record['phantom'] else ''}, "
        f"{len(record['cases'])} scans of {len(found)} patients, "
        f"{len(record['config']['folds'])} folds; size {profile['size']}, "
        f"{training['steps']} steps of {training['batch']} tiles, "
        f"rate {training['learning_rate']:g} ({training['schedule']}); {record['seeds']} seed(s); "
        f"{seconds / 3600:.1f} h of training and scoring. Mean Dice of each patient over "
        "the single contrasts:",
        "",
    ]
    rows = ((column, *(f"{v:.4f}" for v in found[column]), f"{found[column].mean():.4f}")
            for column in found)  # fmt: skip
    return "\n".join(lines) + _table(("network, trained on", *found.index, "mean"), rows)
