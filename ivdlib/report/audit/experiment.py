"""The section of AUDIT.md about one experiment: patients, discs, the worst scans, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pandas as pd

from ivdlib.data.remarks import listed
from ivdlib.evaluation import recorded, scores, verdicts
from ivdlib.evaluation.metrics import MEASURES
from ivdlib.evaluation.verdicts import FOLDER
from ivdlib.options import OWN_RATES, SpineOptions, spine_training
from ivdlib.profiles import COMPARED, title
from ivdlib.report import result_figures
from ivdlib.report.audit.sections import markdown_table

WIDE = 13
"""Columns of numbers that a printed page holds; more patients stand below one another."""


def experiment(
    name: str, record: dict, metrics: pd.DataFrame, figures: Mapping[str, Path] | None = None
) -> str:
    """Show an experiment: what it was, every patient, levels, seams, the worst scans, figures."""
    found = verdicts.patients(metrics)
    profile = record["config"]["profile"]
    seconds = record.get("seconds", 0.0)
    discs = metrics[(metrics["target"] == "disc") & (metrics["scope"] != scores.SEEN)]
    alone = discs.empty  # the spine stage
    scored = metrics if alone else discs
    spine = _spine_options(profile)
    training = asdict(spine_training(spine)) if alone else profile["training"]
    size = spine.size if alone else profile["size"]
    parts = [
        f"## {name}\n\n"
        f"Data: {record['data']}{' (phantom)' if record['phantom'] else ''}, "
        f"{scored['case'].nunique()} scans of {scored['subject'].nunique()} patients scored, "
        f"{scored['fold'].nunique()} of {len(record['config']['folds'])} folds; size "
        f"{size}, {training['steps']} steps of {training['batch']} "
        f"{'slices' if alone else 'tiles'}, rate {_rates(training)} "
        f"({training['schedule']}); {_seeds(discs)}; "
        f"{seconds / 3600:.1f} h of training and scoring on "
        f"{'; '.join(record.get('devices', [])) or 'a device that is not recorded'}.\n"
    ]
    if record.get("derived"):
        names = ", ".join(record["derived"])
        parts.append(f"Derived, not measured: {names}, computed from the other contrasts.\n")
    if record.get("changed"):
        names = listed(record["changed"])
        parts.append(f"**Changed:** {names}: not what was recorded when it was made.\n")
    left = recorded.left(record)
    if left or "left" not in record:  # an older record without it was stopped before its end
        told = f": {left}" if left else ""
        parts.append(
            f"**Unfinished{told}.** A comparison rests on the patients that both sides have.\n"
        )
    if len(found.columns):
        found.loc["mean"] = found.mean()
        shown = found.map(lambda dice: "–" if np.isnan(dice) else f"{dice:.4f}")
        first = "patient"
        if len(shown) <= WIDE:
            shown, first = shown.T, "network, trained on"
        parts.append("Mean Dice of each patient over the single contrasts:\n")
        parts.append(markdown_table((first, *shown.columns), shown.itertuples(name=None)))
    parts += [_spine(metrics, profile), _discs(metrics), _worst(metrics)]
    shown = (
        f"![{result_figures.ALT[key]}]({FOLDER}/{name}/figures/{path.name})"
        for key, path in (figures or {}).items()
    )
    parts.append("\n".join(shown) + "\n")  # one paragraph: side by side, if there is room
    return "\n".join(part for part in parts if part)


def _spine_options(profile: Mapping) -> SpineOptions:
    """Options of the spine stage in a recorded profile; older ones lack some."""
    known = {f.name for f in fields(SpineOptions)}
    return SpineOptions(**{k: v for k, v in profile["spine"].items() if k in known})


def _seeds(scored: pd.DataFrame) -> str:
    """How many seeds there are; unlike numbers for unlike trainings are both said."""
    scored = scores.trained(scored)
    each = scored[scored["fold"] > 0].groupby(["network", "trained_on", "fold"])["seed"].nunique()
    if each.empty:
        return "no disc network is scored"
    least, most = int(each.min()), int(each.max())
    some = f" ({least} in some trainings)" if least < most else ""
    return f"{most} seed{'s' * (most > 1)}{some}"


def _spine(metrics: pd.DataFrame, profile: Mapping) -> str:
    """The spine stage: Dice of its network, discs inside its region, share of the image."""
    spine = metrics[metrics["target"] == "spine"]
    dice = spine["dice"]
    if dice.empty:
        return ""
    text = (
        f"mean Dice {dice.mean():.4f} over {spine['case'].nunique()} scans (least {dice.min():.4f})"
    )
    discs = scores.disc_rows(metrics)
    # Earlier records say it with the discs alone.
    seen = discs if len(discs) else spine
    if "region_share" in seen and seen["region_share"].notna().any():
        scans = seen.groupby("case")[["discs_inside", "region_share"]].mean()
        inside, share = scans["discs_inside"], scans["region_share"]
        text += (
            f"; {inside.mean():.3%} of the disc voxels lie inside its region (least "
            f"{inside.min():.3%}), which is {share.mean():.1%} of the image (most "
            f"{share.max():.1%})"
        )
    how = profile["spine"]
    pixels = f"{how['factor']} × {how['factor']} pixels averaged"
    return f"Spine network ({how['steps']} steps of {how['batch']} slices, {pixels}): {text}.\n"


def _discs(metrics: pd.DataFrame) -> str:
    """Disc by disc: all, and those that a seam between tiles cuts; a figure has the levels."""
    discs = scores.of_single_contrasts(scores.disc_rows(metrics, "disc"))
    discs = discs[discs["network"].isin(list(COMPARED))]
    if discs.empty:
        return ""
    groups = {"all discs": discs}
    if "seam" in discs and discs["seam"].astype(str).eq("True").any():
        cut = discs["seam"].astype(str) == "True"
        groups |= {"cut by a seam": discs[cut], "not cut": discs[~cut]}
    rows = []
    for group, part in groups.items():
        for (network, arm), mine in part.groupby(["network", "trained_on"], sort=False):
            mine = mine.assign(missed=mine["missed"].astype(str) == "True")
            each = mine.groupby(["case", "disc", "contrast"])  # over seeds
            missed, dice, *distances = each[["missed", *MEASURES]].mean().mean()
            number = len(mine[["case", "disc"]].drop_duplicates())
            rows.append((group, title(network), arm, str(number), f"{dice:.4f}", f"{missed:.1%}",
                         *(f"{distance:.2f}" for distance in distances)))  # fmt: skip
    heads = ("discs", "network", "trained on", "number", "Dice", "missed",
             "surface distance (mm)", "95 % Hausdorff (mm)", "centres (mm)")  # fmt: skip
    text = (
        "Disc by disc, single contrasts, mean over discs. The distance of a missed disc counts as "
        "the diagonal of its scan, so a few of them rule the means in mm"
    )
    known = discs[discs["level"] != ""]
    if 0 < len(known) < len(discs):
        number = len(known[["case", "disc"]].drop_duplicates())
        text += (
            f". Levels are known of {number} discs in {known['case'].nunique()} of "
            f"{discs['case'].nunique()} scans"
        )
    return f"{text}:\n\n{markdown_table(heads, rows)}"


def _worst(metrics: pd.DataFrame) -> str:
    named = ", ".join(
        f"{row.case} {row.contrast} ({row.trained_on}) {row.dice:.3f}"
        for row in scores.worst(metrics).itertuples()
    )
    return f"Worst scans of FDS-CNN: {named}.\n" if named else ""


def _rates(training: dict) -> str:
    """The learning rate, and those of networks that have their own."""
    own = {name: training.get(field) for name, field in OWN_RATES.items()}
    told = [f"{title(name)} {rate:g}" for name, rate in own.items() if rate]
    return f"{training['learning_rate']:g}" + (f" ({', '.join(told)})" if told else "")
