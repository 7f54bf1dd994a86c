"""A scan with discs, as networks would find them, for tests of what is written about it."""

import numpy as np
from spines import SPACING, spine

from ivdlib.data.case import Case
from ivdlib.evaluation.disc_table import find_discs
from ivdlib.training.one_scan import Segmented


def found(name="01", contrasts=("wat", "fat"), labels=None):
    """A case, what was found in it, and its discs."""
    labels = spine(count=6) if labels is None else labels
    rng = np.random.default_rng(0)
    images = {c: np.float32(100 * (labels > 0) + rng.uniform(0, 40, labels.shape))
              for c in contrasts}  # fmt: skip
    case = Case(name, name, images, np.diag([*SPACING, 1.0]))
    mask = labels > 0
    probability = np.where(mask, np.float32(0.875), np.float32(0.125))
    body = np.zeros_like(mask)
    body[10:26, 30:90] = True
    votes = {c: mask.copy() for c in contrasts}
    votes[contrasts[-1]][18:19] = False
    segmented = Segmented(mask, probability, votes, body)
    return case, segmented, find_discs(mask, SPACING, images, votes)
