"""Where a profile differs from the paper's, and why: for the lessons and the report."""

from __future__ import annotations

from ivdlib.profiles import PROFILES, Profile, current, keys

NOT_DEVIATIONS = {
    "seeds", "folds", "partition", "inner", "leak", "score_discs", "stress", "references",
    "comparable",
}  # fmt: skip
"""Fields that say how much is done or scored, not how a network is trained."""

REASONS = {
    "size": "a smaller network, so that a CPU can train it",
    "bn_momentum": "running means forget their first guess within a short training",
    "training.steps": "the paper gives no length; this one fits the time of the profile",
    "training.batch": "smaller batches, so that a short training makes more steps",
    "training.learning_rate": "a higher rate, because the training is short",
    "training.schedule": "the rate falls to zero, so that the weights of a short training settle",
    "spine.steps": "fewer steps, because the profile must be quick",
    "spine.batch": "smaller batches, because the profile must be quick",
    "spine.learning_rate": "a higher rate, because the training is short",
    "spine.gap": "bones and discs of one spine touch in some scans only",
    "phantom.stages": "fewer scans, because the profile must be quick",
    "spine.factor": "coarser slices are quicker, finer ones show the edge of the spine",
    "phantom.slices": "central slices only, because the profile must be quick",
    "phantom.subjects": "fewer people, because the profile must be quick",
}


def deviations(p: Profile) -> list[dict[str, str]]:
    """List where a profile differs from `paper`: `field`, `ours`, `paper` and the reason, `why`."""
    paper, rows = PROFILES["paper"], []
    for key in keys():
        a, b = current(p, key), current(paper, key)
        if a != b and key not in NOT_DEVIATIONS:
            why = REASONS.get(key, "chosen for this profile")
            rows.append({"field": key, "ours": str(a), "paper": str(b), "why": why})
    return rows
