"""What a weights file says of the layers of its network."""

import h5py
import keras
import pytest
from answering import UNET

from ivdlib import networks
from ivdlib.networks.structure import layers_of
from ivdlib.training import engines, weights_file
from ivdlib.training.weights import save_weights


@pytest.mark.parametrize(("name", "variant"), [
    ("unet", None), ("deeplabv3plus", None),
    *(("fds_cnn", variant) for variant in (None, *networks.variants("fds_cnn"))),
])  # fmt: skip
def test_every_weight_of_a_file_belongs_to_a_layer(tmp_path, name, variant):
    model = networks.build(name, networks.config_of(name, "tiny", variant), (20, 28, 1))
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    groups = [layer["weights"] for layer in layers_of(model) if "weights" in layer]
    assert len(set(groups)) == len(groups)
    with h5py.File(path) as file:
        names = []
        file.visititems(lambda n, item: names.append(n) if hasattr(item, "shape") else None)
        assert {n for n in names if not n.startswith(tuple(f"{g}/" for g in groups))} == set()
        assert all(group in file for group in groups)


def test_inputs_come_before_what_they_go_into():
    layers = layers_of(networks.build("fds_cnn", "tiny", (20, 28, 3)))
    assert layers[0]["kind"] == "InputLayer" and layers[0]["shape"] == [20, 28, 3]
    for k, layer in enumerate(layers[1:], start=1):
        assert layer["inputs"] and max(layer["inputs"]) < k


def test_what_is_padded_inside_is_part_of_the_first_shape():
    layers = layers_of(networks.build("unet", UNET, (21, 18, 1)))
    assert layers[0]["shape"] == [22, 18, 1]


def test_a_layer_that_nobody_else_knows_is_left_to_keras(tmp_path):
    """Somebody's network is scored and saved all the same."""
    image = keras.Input((16, 12, 1))
    wide = keras.layers.Conv2D(2, 3, padding="same", dilation_rate=2, name="wide")(image)
    for layer in (keras.layers.LeakyReLU(), lambda x: x):
        model = keras.Model(image, layer(wide))
        with pytest.raises(TypeError, match="is not known to ivdlib.networks.structure"):
            layers_of(model)
        assert engines.quickest(model) is model
    card = {"network": "unet", "config": UNET.to_dict(), "target": "disc", "tile": (16, 12),
            "images": ["wat"]}  # fmt: skip
    save_weights(model, tmp_path / "model.weights.h5", card)
    layers, numbers = weights_file.read_numbers(tmp_path / "model.weights.h5")
    assert layers is None and numbers
