"""Made-up scores whose verdicts are known."""

import numpy as np
import pandas as pd

from ivdlib.evaluation.comparisons import RANDOM, WITH, WITHOUT

SINGLE = ("wat", "fat", "inn", "opp")
FUSED = ("wat+opp", "fat+opp", "wat+inn", "inn+opp")


def scores(offsets, patients="abcdef", contrasts=SINGLE + FUSED, spread=0.01, scope="volume"):
    """Rows with a Dice of 0.8 + the patient's own + the offset of (network, arm) + noise."""
    rng = np.random.default_rng(0)
    own = dict(zip(patients, rng.normal(0, 0.03, len(patients)), strict=True))
    rows = []
    for (network, arm), offset in offsets.items():
        for patient in patients:
            for contrast in contrasts:
                dice = 0.8 + own[patient] + offset + rng.normal(0, spread)
                rows.append({
                    "target": "disc", "scope": scope, "network": network, "trained_on": arm,
                    "subject": patient, "case": patient, "contrast": contrast, "seed": 0,
                    "fold": 1 + patients.index(patient), "stage": "",
                    "level": "", "dice": dice,
                })  # fmt: skip
    return pd.DataFrame(rows)


CLEAR = {
    ("fds_cnn", WITH): 0.05,
    ("unet", WITH): 0.0,
    ("deeplabv3plus", WITH): -0.05,
    ("fds_cnn", WITHOUT): 0.08,
    ("unet", WITHOUT): -0.03,
    ("fds_cnn", RANDOM): 0.05,
}
