"""Answers to the short exercises of lessons 01 to 04, right and wrong; asked in test_warm_ups.

Their checks get made-up data, so that nothing is trained.
"""

from types import SimpleNamespace

import keras
import numpy as np
from scipy import ndimage

from ivdlib.course import exercises
from ivdlib.course.own.rates import check_rates
from ivdlib.evaluation import metrics
from ivdlib.preprocessing.region import region_around
from ivdlib.report import diagrams

SPACING = (2.0, 1.25, 1.25)
DRAW = np.random.default_rng(0)


def scan(share):
    """A scan whose discs are a box; a bit brighter there, on average."""
    discs = np.zeros((5, 40, 40), bool)
    discs[1:4, 12:28, 14 : 14 + share] = True
    picture = DRAW.gamma(2.0, size=discs.shape) + 0.8 * discs
    return SimpleNamespace(discs=discs, contrasts={"wat": picture}, spacing=SPACING)


CASES = {"01": scan(6), "02": scan(9), "03": scan(12)}
CASE, YOURS = CASES["01"], CASES["03"]
PICTURE, DISC = YOURS.contrasts["wat"], YOURS.discs
ABOVE = PICTURE.mean() < PICTURE
SHARES = np.array([one.discs.mean() for one in CASES.values()])
BRIGHT = (PICTURE[DISC] > PICTURE.mean()).mean()

TRUE, K = CASE.discs, 2
REGIONS = [region_around(TRUE, SPACING, 40, margin).mask for margin in (0.0, 15.0)]
KEPT = [mask.mean() for mask in REGIONS]
IN_PIXELS = (ndimage.distance_transform_edt(~TRUE) <= 15).mean()

CHANCES = np.clip(0.6 * DISC + DRAW.normal(0.2, 0.15, DISC.shape), 0, 1)
LOWER = metrics.dice(CHANCES >= 0.3, DISC)

GIVEN = {
    "exercises": exercises, "np": np, "metrics": metrics, "ndimage": ndimage, "keras": keras,
    "diagrams": diagrams, "check_rates": check_rates, "k": K,
    "experiment": SimpleNamespace(cases=CASES, contrasts=["wat"]), "case": CASE,
    "yours": YOURS, "picture": PICTURE, "true": TRUE,
    "options": SimpleNamespace(steps=120, batch=8),
    "fold": SimpleNamespace(train=["01", "02"]),
    "halves": {0.0: CHANCES}, "test_scan": SimpleNamespace(discs=DISC),
}  # fmt: skip

RIGHT = [
    ("01_data_loading", 1, {"share": SHARES.mean()}),
    ("01_data_loading", 2, {"bright": BRIGHT}),
    ("02_spine_unet", 1, {"overlap": 2 * 60 / 180}),
    ("02_spine_unet", 1, {"overlap": 0.67}),
    ("02_spine_unet", 4, {"shares": KEPT}),
    ("03_fds_cnn", 1, {"count": 8768}),
    ("03_fds_cnn", 2, {"wide": 15}),
    ("03_fds_cnn", 3, {"rates": (1, 2, 3)}),
    ("04_gpu_training", 3, {"seen": 960}),
    ("04_gpu_training", 5, {"lower": LOWER}),
]

WRONG = [
    ("01_data_loading", 1, {"share": 100 * SHARES.mean()}, "per cent"),
    ("01_data_loading", 1, {"share": SHARES[0]}, "one scan only"),
    ("01_data_loading", 1, {"share": SHARES.sum()}, "divide by their number"),
    ("01_data_loading", 1, {"share": SHARES.mean() * DISC.size}, "number of voxels"),
    ("01_data_loading", 1, {"share": SHARES}, "expected a number"),
    ("01_data_loading", 2, {"bright": np.sum(DISC & (PICTURE.mean() < PICTURE))}, "a number of"),
    ("01_data_loading", 2, {"bright": (PICTURE.mean() < PICTURE).mean()}, "the whole image;"),
    ("01_data_loading", 2, {"bright": 1 - BRIGHT}, "darker"),
    ("01_data_loading", 2, {"bright": DISC[PICTURE.mean() < PICTURE].mean()}, "how many bright"),
    ("01_data_loading", 2, {"bright": (PICTURE[DISC] > PICTURE[DISC].mean()).mean()}, "not of the"),
    ("01_data_loading", 2, {"bright": ABOVE[CASE.discs].mean()}, "those are the discs of `case`"),
    ("01_data_loading", 2, {"bright": PICTURE[DISC].mean() / PICTURE.mean()}, "at most 1"),
    ("02_spine_unet", 1, {"overlap": 60 / 180}, "factor 2"),
    ("02_spine_unet", 1, {"overlap": 0.5}, "Jaccard"),
    ("02_spine_unet", 1, {"overlap": 66.7}, "per cent"),
    ("02_spine_unet", 1, {"overlap": 0.6}, "network's mask alone"),
    ("02_spine_unet", 1, {"overlap": 0.75}, "true mask alone"),
    ("02_spine_unet", 4, {"shares": [100 * share for share in KEPT]}, "per cent"),
    ("02_spine_unet", 4, {"shares": KEPT[::-1]}, "exchanged"),
    ("02_spine_unet", 4, {"shares": [KEPT[0], IN_PIXELS]}, "15 pixels are not 15 mm"),
    ("02_spine_unet", 4, {"shares": [mask[K].mean() for mask in REGIONS]}, "one slice, not the"),
    ("02_spine_unet", 4, {"shares": KEPT[0]}, "expected"),
    ("02_spine_unet", 4, {"shares": [mask.sum() for mask in REGIONS]}, "numbers of voxels"),
    ("03_fds_cnn", 1, {"count": 9 * 64 * 128}, "plain convolution"),
    ("03_fds_cnn", 1, {"count": 9 * 128 + 64 * 128}, "comes IN"),
    ("03_fds_cnn", 1, {"count": 9 + 64 * 128}, "each channel has nine of its own"),
    ("03_fds_cnn", 1, {"count": 8768 + 128}, "offsets"),
    ("03_fds_cnn", 2, {"wide": 17}, "added the widths"),
    ("03_fds_cnn", 2, {"wide": 8}, "one side only"),
    ("03_fds_cnn", 2, {"wide": 7}, "one side only, and not the pixel itself .* without dilation"),
    ("03_fds_cnn", 3, {"rates": (2, 2, 2)}, "holes"),
    ("03_fds_cnn", 3, {"rates": (1, 2, 4)}, "above 3"),
    ("03_fds_cnn", 3, {"rates": (1, 1, 1)}, "reach only 7 pixels"),
    ("04_gpu_training", 3, {"seen": 120}, "number of steps"),
    ("04_gpu_training", 3, {"seen": 8}, "one batch"),
    ("04_gpu_training", 3, {"seen": 2 * 960}, "not scans"),
    ("04_gpu_training", 5, {"lower": metrics.dice(CHANCES >= 0.5, DISC)}, "threshold of one half"),
    ("04_gpu_training", 5, {"lower": metrics.dice(CHANCES[K] >= 0.3, DISC[K])}, "one slice"),
    ("04_gpu_training", 5, {"lower": metrics.dice(CHANCES < 0.3, DISC)}, "pixels below"),
    ("04_gpu_training", 5, {"lower": CHANCES >= 0.3}, "expected a number"),
]  # fmt: skip
