"""Two tiny networks that learn, here and in a process of its own."""

import numpy as np

from ivdlib import networks
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing import sampler
from ivdlib.training.trainer import Trainer

TILE = (16, 24)
CONFIGS = {
    "fds_cnn": networks.FDSCNNConfig(width=0.05, middle_units=1, dropout=0.0),
    "unet": networks.UNetConfig(base=2, levels=2),
}


class Drawn:
    """Stands for a sampler."""

    def draw(self, number):
        rng = np.random.default_rng(number)
        image = rng.random((4, *TILE, 1), np.float32)
        ones = np.ones((4, 1), np.float32)
        truth = (image[..., 0] > 0.5).astype(np.uint8)
        return sampler.Draw(image, truth, 0 * ones[:, 0], 0 * ones[:, 0], ones, ones[:, 0])


def learn(name, precision):
    """Learning curve of some steps."""
    options = TrainingOptions(
        tile=TILE, steps=4, batch=4, rotation=0.0, precision=precision, learning_rate=1e-3
    )
    trainer = Trainer(name, CONFIGS[name], TILE, options, devices=())
    curve = [row["loss"] for row in trainer.fit(Drawn(), 0, name)]
    assert {v.dtype for v in trainer.model.weights if "seed" not in v.path} == {"float32"}
    return curve
