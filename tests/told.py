"""Choices and deviations as an experiment tells them."""

from ivdlib.options import OWN_RATES
from ivdlib.profiles import current
from ivdlib.training import deviations, open_choices

CROP, WHOLE = (2, 48, 56), (2, 130, 140)


def chosen(experiment):
    rows = open_choices.open_choices(experiment)
    assert all(all(row.values()) for row in rows)
    assert len({row["what"] for row in rows}) == len(rows)
    return {row["what"]: row["ours"] for row in rows}


def differing(experiment):
    return {row["field"]: row for row in deviations.deviations(experiment)}


OTHER = {
    "size": "laptop", "networks": ["fds_cnn"], "arms": ["with"], "folds": 3, "leak": "epoch",
    "bn_momentum": 0.5, "training.schedule": "constant", "training.loss": "bce",
    "training.tile": [64, 64], "training.tiles": "all", "training.placement": "clipped",
    "training.precision": "float16", "training.learning_rate": 0.5, "training.average": 0.5,
    "training.noise_probability": 0.25, "training.noise_max_share": 0.1, "spine.region": "none",
    "spine.size": "laptop", "spine.learning_rate": 0.5, "spine.tolerance": 0.0,
    "phantom.in_plane": 128,
    **{f"training.{field}": 0.5 for field in OWN_RATES.values()},
}  # fmt: skip


def other(experiment, key):
    """Another value of a field, one that a profile takes."""
    value = current(experiment.profile, key)
    found = OTHER.get(key, not value if isinstance(value, bool) else None)
    return value + 1 if found is None else found
