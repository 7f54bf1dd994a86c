"""Cost and receptive field, against hand counts and brute force."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.errors import ConfigError
from ivdlib.networks import cost


@pytest.fixture(scope="module")
def paper():
    model = networks.build("fds_cnn", "paper")
    return model, cost.layer_table(model)


def test_totals_of_the_paper_s_network(paper):
    """Counted by hand beforehand: parameters, 36.6 thousand million multiply–adds, fields."""
    _, rows = paper
    assert rows["all_parameters"].iloc[-1] == rows["parameters"].sum() == 10_446_849
    assert rows["all_multiply_adds"].iloc[-1] == pytest.approx(36.6e9, rel=1e-3)
    fields = rows.set_index("name")["receptive_field"]
    known = {
        "conv1": 3, "conv2": 11, "entry1_sep1": 15, "entry1_sep3": 43, "entry2_sep3": 75,
        "entry3_sep3": 107, "middle16_sep3": 619, "exit1_sep3": 651, "exit2_sep3": 683,
        "aspp_sep3": 755, "decoder2": 763,
    }  # fmt: skip
    assert {name: fields[name] for name in known} == known


def test_the_mean_over_the_image_is_marked(paper):
    rows = paper[1].set_index("name")
    assert rows["whole_image"]["aspp_project"] and rows["whole_image"]["logits"]
    assert not rows["whole_image"]["exit2_sep3"] and not rows["whole_image"]["skip_middle"]
    without = networks.build("fds_cnn", replace(networks.config_of("fds_cnn"), image_pooling=False))
    assert not cost.layer_table(without)["whole_image"].any()


@pytest.mark.parametrize("name", networks.NAMES)
@pytest.mark.parametrize("size", ["tiny", "laptop"])
def test_parameters_are_those_of_keras(name, size):
    model = networks.build(name, size)
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert cost.layer_table(model)["parameters"].sum() == trainable


def multiply_adds_by_hand(config, height=112, width=128):
    """From the lists of the configuration alone."""
    total, channels, pixels = 0, 1, height * width
    ends = {}
    for block, widths, strides, shortcut in zip(
        networks.xception.BLOCKS, networks.xception.WIDTHS, config.strides,
        networks.xception.SHORTCUTS, strict=True,
    ):  # fmt: skip
        for _ in range(config.middle_units if block == "middle" else 1):
            start = channels
            for wide, stride in zip(widths, strides, strict=True):
                pixels //= stride**2
                wide = config.channels(wide)
                inner = channels * (config.stem_depth_multiplier if block == "conv1" else 1)
                total += pixels * inner * (9 + wide)
                channels = wide
                ends.setdefault(block, []).append(wide)
            total += pixels * start * channels if shortcut == "conv" else 0
    w, skip = config.channels(config.aspp_width), config.channels(config.skip_width)
    total += pixels * channels * w + 3 * pixels * channels * (9 + w) + channels * w
    total += pixels * 5 * w * w
    total += pixels * skip * (ends["entry1"][0] + ends["entry3"][2] + ends["middle"][2])
    joined, out = w + 3 * skip, config.channels(config.decoder_width)
    return total + pixels * (joined * (9 + out) + out * (9 + out) + out)


@pytest.mark.parametrize("size", ["tiny", "laptop", "paper"])
def test_multiply_adds_are_those_of_a_hand_count(size):
    config = networks.config_of("fds_cnn", size)
    rows = cost.layer_table(networks.build("fds_cnn", config))
    assert rows["multiply_adds"].sum() == multiply_adds_by_hand(config)


def test_baselines_cost_what_was_counted_beforehand():
    rows = cost.comparison().set_index(["network", "size"])
    published = rows.loc[("DeepLabv3+", "as published")]
    ours = rows.loc[("FDS-CNN", "paper")]
    assert published["parameters"] == pytest.approx(41.05e6, rel=1e-3)
    assert published["multiply_adds"] == pytest.approx(2.80e9, rel=2e-3)
    assert published["parameters"] / ours["parameters"] == pytest.approx(4, abs=0.1)
    assert ours["multiply_adds"] / published["multiply_adds"] == pytest.approx(13, abs=0.2)
    assert rows.loc[("U-Net", "tiny")]["multiply_adds"] == pytest.approx(0.66e9, rel=5e-3)
    assert 1e9 < ours["training_bytes"] < 2.5e9


@pytest.mark.parametrize("size", ["tiny", "laptop", "paper"])
def test_the_fair_u_nets_are_as_large_and_as_costly(size):
    rows = cost.comparison(sizes=[size]).set_index("network")
    ours, weights, macs = (rows.loc[name] for name in ("FDS-CNN", "U-Net, equal weights",
                                                       "U-Net, equal cost"))  # fmt: skip
    assert weights["parameters"] == pytest.approx(ours["parameters"], rel=0.15)
    assert macs["multiply_adds"] == pytest.approx(ours["multiply_adds"], rel=0.05)


def test_the_paper_s_eight_to_nine_times_holds_from_72_filters_on(paper):
    saved = cost.savings(paper[0])
    assert len(saved) == 70
    one_filter_each = saved[saved["name"] != "conv1"]  # its depth multiplier is 16
    filters = one_filter_each["filters"]
    np.testing.assert_allclose(one_filter_each["times"], 9 * filters / (9 + filters))
    assert ((one_filter_each["times"] >= 8) == (filters >= 72)).all()
    assert saved["times"].max() < 9


def test_a_layer_whose_reach_is_not_known_is_named():
    image = keras.Input((8, 8, 1))
    x = keras.layers.AveragePooling2D(2, name="odd")(image)
    x = keras.layers.Conv2D(2, 3, padding="same")(x)
    with pytest.raises(ConfigError, match="odd: no rule for the reach of a AveragePooling2D"):
        cost.layer_table(keras.Model(image, x))


def test_what_the_variants_cost():
    base, *others = (
        cost.layer_table(networks.build("fds_cnn", networks.config_of("fds_cnn", "tiny", name)))
        for name in (None, "standard", "no_dilation", "two_down", "four_down")
    )
    standard, no_dilation, two_down, four_down = (o["multiply_adds"].sum() for o in others)
    ours = base["multiply_adds"].sum()
    assert 7 < standard / ours < 9
    assert no_dilation == ours
    assert four_down < two_down < ours
    assert others[1]["receptive_field"].max() < base["receptive_field"].max() / 2
