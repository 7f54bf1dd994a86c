"""A U-Net of a few weights and an image for it."""

import numpy as np

from ivdlib import networks

TINY = networks.UNetConfig(base=2, levels=1)


def volume(shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)
