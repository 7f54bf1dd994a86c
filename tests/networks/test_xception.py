"""Strides, widths and rates of the body, and lists that describe none."""

from dataclasses import replace

import pytest

from ivdlib import networks
from ivdlib.errors import ConfigError
from ivdlib.networks.xception import BLOCKS, WIDTHS

PAPER = networks.config_of("fds_cnn", "paper")


def test_the_stride_is_the_product_of_those_before():
    product = 1
    for block, strides in zip(BLOCKS, PAPER.strides, strict=True):
        for place, stride in enumerate(strides, start=1):
            product *= stride
            assert PAPER.stride_of(block, place) == product
    assert PAPER.stride == product


def test_a_narrow_network_keeps_a_feature_map():
    assert replace(PAPER, width=0.5).channels(728) == 364
    assert replace(PAPER, width=0.001).channels(32) == 1


def test_rates_of_the_middle_are_repeated():
    small = replace(PAPER, middle_units=2)
    assert small.rates_of("middle") == [small.rates[BLOCKS.index("middle")]] * 2
    assert small.rates_of("exit1") == [small.rates[BLOCKS.index("exit1")]]


def with_first(groups, block, number):
    """The lists with another first number in a module."""
    return tuple(
        (number, *group[1:]) if name == block else group
        for name, group in zip(BLOCKS, groups, strict=True)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strides": PAPER.strides[:-1]}, "a number for each convolution"),
        ({"rates": with_first(PAPER.rates, "exit1", 0)}, "a whole number, at least 1"),
        ({"strides": with_first(PAPER.strides, "conv1", 2),
          "rates": with_first(PAPER.rates, "conv1", 2)}, "both a stride and a dilation rate"),
        ({"width": 0}, "width of FDSCNNConfig takes a number, above 0"),
    ],
)  # fmt: skip
def test_what_describes_no_body_is_refused(change, words):
    assert len(PAPER.strides) == len(WIDTHS)
    with pytest.raises(ConfigError, match=words):
        replace(PAPER, **change)
