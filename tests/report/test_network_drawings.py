"""Drawings of a convolution, the U-Net and a module say what they draw."""

import numpy as np

from ivdlib import networks
from ivdlib.report import network_drawings


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_a_step_of_a_convolution_is_worked_out():
    image, kernel = np.arange(12).reshape(3, 4), np.diag([1, 0, -1])
    result = np.full((3, 4), -10)
    figure = network_drawings.convolution_step(image, kernel, result, (1, 1))
    assert figure._supxlabel.get_text() == (
        "0·1 + 1·0 + 2·0 + 4·0 + 5·0 + 6·0 + 8·0 + 9·0 + 10·(-1) = -10"
    )
    assert len(texts(figure)) == 12 + 9 + 12


def test_each_level_of_a_unet_stands_twice():
    found = texts(network_drawings.unet(networks.UNetConfig(base=8, levels=2), (50, 64)))
    assert found.count("50 × 64\n8 channels") == found.count("25 × 32\n16 channels") == 2
    assert found.count("13 × 16\n32 channels") == 1


def test_a_module_says_what_stands_on_the_way_around():
    found = texts(network_drawings.xception_module((3, 4), (1, 2), "conv"))
    assert "1 × 1 convolution, 4 channels,\nbatch normalisation" in found
    assert found.count("ReLU") == 2 and "separable\n4 channels\nrate 2" in found
    assert "x itself" in texts(network_drawings.xception_module((3,), (1,), "sum"))
