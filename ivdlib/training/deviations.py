"""Where an experiment differs from the paper's, and why: for the lessons and the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.subjects import CHALLENGE_SUBJECTS
from ivdlib.options import OWN_RATES
from ivdlib.preprocessing.folds import FOLDS
from ivdlib.profiles import ARMS, NETWORKS, PROFILES, Profile, current, keys, title
from ivdlib.training.recipes import LEAST, RECIPES, follows

if TYPE_CHECKING:
    from ivdlib.training.experiment import Experiment

NOT_DEVIATIONS = {
    "seeds",
    "partition",
    "refold",
    "score_discs",
    "stress",
    "references",
    "comparable",
}
"""Fields that say how much is done or scored, not how a network is trained."""

PAPERS = "IVDM3Seg, 16 scans of 8 subjects"
"""The paper's scans."""

APART = {"folds", "networks", "arms", "training.tile"}
"""Fields that the scans have a say in: what became of them is told, not what was asked for."""

REASONS = {
    "size": "a smaller network, so that a CPU can train it",
    "bn_momentum": "running means forget their first guess within a short training",
    "inner": "for choices that no test patient may make: no result",
    "leak": "to measure how much it flatters: no result",
    "training.steps": "the paper gives no length; this one fits the time of the profile",
    "training.batch": "smaller batches, so that a short training makes more steps",
    "training.learning_rate": "a higher rate, because the training is short",
    "training.unet_rate": "the rate that suits FDS-CNN leaves it on a plateau, with no disc on fat",
    "training.deeplabv3plus_rate": "the best for it on phantom people of another seed",
    "training.unet_equal_weights_rate": "the best for this size on inner patients",
    "training.unet_equal_cost_rate": "the best for this size on inner patients",
    "training.average": "the weights of a short training still swing",
    "training.noise_probability": "a short training learns the plain images first",
    "training.schedule": "the rate falls to zero, so that the weights of a short training settle",
    "spine.steps": "fewer steps, because the profile must be quick",
    "spine.batch": "smaller batches, because the profile must be quick",
    "spine.learning_rate": "a higher rate, because the training is short",
    "spine.factor": "coarser slices are quicker, finer ones show the edge of the spine",
    "phantom.stages": "fewer scans, because the profile must be quick",
    "phantom.slices": "central slices only, because the profile must be quick",
    "phantom.subjects": "fewer people, because the profile must be quick",
}
"""Why the profiles that come with the package have other values."""

ASKED = "set for this experiment"
"""The reason of a value that is none of its profile."""


def deviations(experiment: Experiment) -> list[dict[str, str]]:
    """List where an experiment differs from `paper` in what takes part in it.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    list of dict
        `field`, `ours`, `paper` and the reason, `reason_for`.
    """
    p = experiment.profile
    rows = list(_of_the_scans(experiment))
    for key in keys():
        ours, paper = current(p, key), current(PROFILES["paper"], key)
        told = key not in NOT_DEVIATIONS | APART and _takes_part(experiment, key)
        if told and ours != paper:
            rows.append((key, _shown(ours), _shown(paper), reason_for(p, key)))
    return [dict(zip(("field", "ours", "paper", "why"), row, strict=True)) for row in rows]


def _takes_part(e: Experiment, key: str) -> bool:
    """Whether a field decides on anything in this experiment."""
    part, _, leaf = key.rpartition(".")
    if part == "phantom":
        return e.is_phantom
    if part == "spine":
        if leaf == "region":
            return not e.one_tile
        return e.uses_region if leaf in {"margin", "mask", "tolerance"} else e.uses_spine_network
    if part == "training":
        named = {n for name in e.profile.networks for n in (name, name.partition(":")[0])}
        if leaf in OWN_RATES.values():
            return leaf in map(OWN_RATES.get, named)
        placed = leaf != "placement" or not e.one_tile
        return placed if e.profile.networks else leaf == "precision"
    if key == "leak":
        return bool(e.profile.networks) or e.profile.leak == "scan"
    return key != "size" or bool(e.profile.networks)


def _of_the_scans(e: Experiment) -> Iterator[tuple[str, str, str, str]]:
    """Rows of what the scans have a say in."""
    p = e.profile
    if e.is_phantom:
        people = len({case.subject for case in e.cases.values()})
        yield ("data", f"phantom, {len(e.cases)} scans of {people} people",
               PAPERS, "no scans were given (--data)")  # fmt: skip
    elif not _of_the_paper(e):
        yield "data", _data(e), PAPERS, "these scans were given (--data)"
    if len(e.folds) != FOLDS:
        few = f"too few patients for {FOLDS}" if p.folds is None else reason_for(p, "folds")
        reason = "as the table of folds says" if e.arguments["split"] else few
        yield "folds", str(len(e.folds)), str(FOLDS), reason
    if set(p.networks) != set(NETWORKS):
        names = ", ".join(map(title, p.networks)) or "none: the spine network alone"
        yield "networks", names, ", ".join(map(title, NETWORKS)), reason_for(p, "networks")
    paper = PROFILES["paper"].arms
    arms = dict.fromkeys(training.arm for training in e.trainings())
    if p.networks and set(arms) != set(paper):
        shown = (", ".join(ARMS[arm] for arm in some) for some in (arms, paper))
        reason = reason_for(p, "arms") if e.fused else "these images give nothing to fuse"
        yield ("arms", *shown, reason)
    usual = tuple(PROFILES["paper"].training.tile)
    if p.networks and tuple(e.tile) != usual:
        asked = reason_for(p, "training.tile") if tuple(p.training.tile) != usual else ""
        yield "training.tile", _shown(e.tile), _shown(usual), asked or "the slices are no larger"


def _of_the_paper(e: Experiment) -> bool:
    """Whether the scans are those of the paper: all of the challenge's, whole, as measured."""
    people = {name: case.subject for name, case in e.cases.items()}
    named = {name: subject for name, (subject, _) in CHALLENGE_SUBJECTS.items()}
    whole = set(e.contrasts) == set(CONTRASTS) and not e.derived and not e.one_tile
    return whole and people == named


def _data(e: Experiment) -> str:
    """What scans they are, for people."""
    people = len({case.subject for case in e.cases.values()})
    derived = f"; computed from others: {', '.join(sorted(e.derived))}" if e.derived else ""
    return (
        f"{e.data_name}, {len(e.cases)} scans of {people} people; "
        f"contrasts {', '.join(e.contrasts)}{derived}"
    )


def is_usual(p: Profile, key: str) -> bool:
    """Whether a field has the paper's value or that of the profile as it comes."""
    usual = (current(PROFILES[name], key) for name in ("paper", p.name))
    return current(p, key) in tuple(usual)


def reason_for(p: Profile, key: str) -> str:
    """Why a field has its value: the profile has it so, a recipe sets it, or it was asked for."""
    value = current(p, key)
    if value == current(PROFILES[p.name], key):
        return REASONS.get(key, "chosen for this profile")
    for name, fields in RECIPES.items():
        sets = {**LEAST.get(name, {}), **fields}
        if follows(p, name) and sets.get(key) == value:
            return f"the recipe {name} {'sets it' if key in fields else 'needs as many'}"
    return REASONS[key] if key in {"inner", "leak"} else ASKED


def _shown(value: Any) -> str:
    """A value for people."""
    if value is None:
        return "not set"
    return " × ".join(map(str, value)) if isinstance(value, tuple) else str(value)
