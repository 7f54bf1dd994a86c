"""Run networks on the backend of KERAS_BACKEND; `test_backends` starts this and compares.

Takes a folder with `<network>.weights.h5` and `images.npz`, writes `<network>-<backend>.npz`.
"""

import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from ivdlib import networks
from ivdlib.networks import backend, losses

SHAPE = (33, 19, 1)
CONFIGS = {
    "fds_cnn": replace(networks.config_of("fds_cnn", "tiny"), middle_units=1, dropout=0.0),
    "unet": replace(networks.config_of("unet", "tiny"), base=4, levels=2),
    # The mean over the image has as many values as images: epsilon tames their variance.
    "deeplabv3plus": replace(
        networks.config_of("deeplabv3plus", "tiny"), middle_units=1, dropout=0.0, head_epsilon=1e-2
    ),
}
RATE = 0.1


def run(name, folder):
    images = np.load(folder / "images.npz")
    model = networks.build(name, CONFIGS[name], SHAPE)
    model.load_weights(folder / f"{name}.weights.h5")
    start = model.get_weights()
    found = {}
    for key in ("inference", "training"):
        answer = model(images["x"], training=key == "training")
        found[key] = keras.ops.convert_to_numpy(answer)
    model.set_weights(start)
    model.compile(
        keras.optimizers.SGD(RATE), losses.loss("bce_dice"), jit_compile=backend.jit_compile()
    )
    found["loss"] = model.train_on_batch(images["x"], images["y"])
    for i, (before, after) in enumerate(zip(start, model.get_weights(), strict=True)):
        found[f"start {i}"], found[f"change {i}"] = before, after - before
    np.savez(folder / f"{name}-{keras.backend.backend()}.npz", **found)


if __name__ == "__main__":
    for network in CONFIGS:
        run(network, Path(sys.argv[1]))
