"""Several experiments side by side: which is better, their tables, what they are, their curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ivdlib.errors import ConfigError, DataError
from ivdlib.evaluation import comparisons, scores
from ivdlib.files import readable
from ivdlib.profiles import title
from ivdlib.report import diagrams, differences, plotting, record, result_figures, results
from ivdlib.report.differences import Difference
from ivdlib.report.pages import fill, write_report
from ivdlib.report.record import Author

_Found = dict[str, tuple[dict[str, Any], pd.DataFrame, Path]]
"""Record, scores and folder of the experiments, by name."""


def build_comparison(
    folders: Sequence[Path], out: Path, author: Author | None = None
) -> dict[str, Any]:
    """Write the comparison of two or more experiments.

    Parameters
    ----------
    folders : sequence of Path
        Of experiments; the first is what the others are compared with.
    out : Path
        Page and PDF without ending.
    author : Author, optional

    Returns
    -------
    dict
        As `report.build`.

    Raises
    ------
    ConfigError
        For fewer than two experiments, or one twice.
    DataError
        If a folder is none of an experiment, or nothing in it was scored.
    """
    found = _read(folders)
    against = _differences(found)
    html = fill(
        "report/compare.html.j2",
        kind="experiments side by side",
        name=" · ".join(found),
        badges=_badges(found),
        facts=(author or Author()).rows(),
        experiments=list(found),
        picture=differences.drawn_differences(against),
        words=differences.told_differences(against),
        about=_about(found),
        made=record.when(),
        dice=_dice(found),
        differences=[one.cells() for one in against],
        apart=_apart(found),
        figures=_figures(found),
    )
    return write_report(out, html)


def _badges(found: _Found) -> record.Rows:
    """Labels of the experiments; whose they are, unless they are everybody's."""
    owners: dict[tuple[str, str], list[str]] = {}
    for name, (made, _, _) in found.items():
        for badge in record.badges(made):
            owners.setdefault(badge, []).append(name)
    return [
        (badge, text if len(names) == len(found) else f"{', '.join(names)}: {text}")
        for (badge, text), names in owners.items()
    ]


def _read(folders: Sequence[Path]) -> _Found:
    if len({folder.resolve() for folder in folders}) < max(len(folders), 2):
        raise ConfigError("name two or more different experiments to compare.")
    if len(folders) > len(plotting.MARKERS):
        raise ConfigError(f"compare at most {len(plotting.MARKERS)} experiments at a time.")
    found: _Found = {}
    for folder in folders:
        made, metrics = results.record_of(folder), results.metrics_of(folder)
        if metrics.empty:
            raise DataError(f"nothing in {folder} has been scored; there is nothing to compare.")
        name = readable(folder.name if folder.name not in found else str(folder))
        found[name] = made, metrics, folder
    return found


def _about(found: _Found) -> list[tuple[str, ...]]:
    """Rows of what each experiment is."""
    columns = [
        dict(record.facts(folder, made, metrics)) for made, metrics, folder in found.values()
    ]
    return [(what, *(str(column[what]) for column in columns)) for what in columns[0]]


def _side(metrics: pd.DataFrame, network: str, arm: str, fused: bool) -> comparisons.Side | None:
    """Scores on single or on fused contrasts."""
    names = [n for n in scores.disc_rows(metrics)["contrast"].unique() if "+" in n]
    return comparisons.side(metrics, network, arm, names if fused else None)


def _kinds(found: _Found) -> list[tuple[str, str]]:
    """Networks and kinds of training that any experiment has scored."""
    rows = pd.concat([scores.disc_rows(metrics) for _, metrics, _ in found.values()])
    return sorted(set(zip(rows["network"], rows["trained_on"], strict=True)))


def _dice(found: _Found) -> list[tuple[str, ...]]:
    """Mean Dice over patients: network, trained on, images; a column an experiment."""
    lines = []
    for network, arm in _kinds(found):
        for fused in (False, True):
            sides = [_side(m, network, arm, fused) for _, m, _ in found.values()]
            people = [one and one.patients for one in sides]
            if any(one is not None for one in people):
                cells = (f"{p.mean():.4f} (n {len(p)})" if p is not None else "–" for p in people)
                lines.append((title(network), arm, "fused" if fused else "single", *cells))
    return lines


def _apart(found: _Found) -> list[str]:
    """Experiments on other scans than the first one's."""
    data = {name: made["config"].get("data") for name, (made, _, _) in found.items()}
    return [name for name in data if data[name] != next(iter(data.values()))]


def _differences(found: _Found) -> list[Difference]:
    """Paired differences to the first experiment, where both have scored the same scans."""
    (name_of_first, (_, first, _)), *others = found.items()
    lines = []
    for name, (_, metrics, _) in others:
        if name in _apart(found):
            continue  # a patient "5" of other data is another person
        for network, arm in _kinds(found):
            one = comparisons.difference(
                _side(metrics, network, arm, False), _side(first, network, arm, False)
            )
            if one is not None:
                lines.append(Difference(name, name_of_first, title(network), arm, one))
    return lines


def _figures(found: _Found) -> list[dict[str, str]]:
    """Learning curves: a panel for each network and kind of training, a line an experiment."""
    panels: dict[str, dict[str, pd.DataFrame]] = {}
    for name, (_, _, folder) in found.items():
        for key, mean in result_figures.mean_curves(folder).items():
            panels.setdefault(", ".join(key), {})[name] = mean
    if not panels:
        return []
    alt = (
        "Training loss over the steps, mean over folds and seeds: a panel for each network and "
        "kind of training, a line for each experiment."
    )
    figure = diagrams.learning_curves(dict(sorted(panels.items())))
    return [{"src": plotting.data_uri(figure, alt), "alt": alt}]
