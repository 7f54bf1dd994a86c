"""Small networks with weights in a file, and what they answer."""

import keras
import numpy as np

from ivdlib import networks
from ivdlib.training import engines
from ivdlib.training.weights import load_model, save_weights

TILE = (16, 12)
UNET = networks.UNetConfig(base=2, levels=1)


def trained(name, config, tile, path, **passport):
    """A weights file of a network that answers something, as if it had been trained."""
    keras.utils.set_random_seed(0)
    model = networks.build(name, config, input_shape=(*tile, 1))
    random = np.random.default_rng(1)
    for weight in model.weights:
        if weight.path.endswith("variance"):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif len(weight.shape) == 1:
            weight.assign(weight + 0.2 * random.normal(size=weight.shape))
    # The last layer is set so that probabilities lie around one half and reach far.
    kernel, bias = model.get_layer("logits").weights
    answer = model.predict_on_batch(tiles(2, tile)).astype(float)
    logits = np.log(answer / (1 - answer))
    kernel.assign(kernel * 1.5 / logits.std())
    shift = np.eye(bias.shape[0])[-1] * 1.5 * logits.mean() / logits.std()
    bias.assign(bias * 1.5 / logits.std() - shift)
    card = {"network": name, "config": model_config(name, config).to_dict(), "tile": tile,
            "images": ["wat", "fat"], "target": "disc", "spacing": [[0.5, 6]] * 3}  # fmt: skip
    save_weights(model, path, card | passport)
    return path


def model_config(name, config):
    return networks.config_of(name, config) if isinstance(config, str) else config


def tiles(count, tile=TILE, seed=0):
    return np.random.default_rng(seed).random((count, *tile, 1), dtype=np.float32)


def predict(path, precision="float32", count=5, **kwargs):
    fast = engines.load_network(path, precision=precision, **kwargs)
    return fast.model.predict_on_batch(tiles(count, tuple(fast.passport["tile"])))


def expected(path, count=5):
    network = load_model(path)
    return network.model.predict_on_batch(tiles(count, tuple(network.passport["tile"])))


# In probability. The last layer of these networks is stretched until they say all from 0 to 1, and
# with it the rounding: float32 by up to 2e-4, bfloat16 at single pixels by 0.3 (another network
# would differ by 0.3 in the mean). What bfloat16 does to trained networks is measured by
# benchmarks/inference.py.
FLOAT32, BFLOAT16 = 1e-3, 0.1


def assert_near(ours, theirs, precision):
    """Every pixel in float32; in bfloat16 the mean over all."""
    difference = np.abs(ours - theirs)
    assert difference.max() < FLOAT32 if precision == "float32" else difference.mean() < BFLOAT16
