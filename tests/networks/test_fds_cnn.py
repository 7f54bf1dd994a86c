"""FDS-CNN: parameters of the published configuration and of the alternatives, and their effect."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.errors import ConfigError

PAPER = networks.config_of("fds_cnn", "paper")
TINY = networks.config_of("fds_cnn", "tiny")
STRIDES = PAPER.strides


def trainable(model):
    return sum(math.prod(w.shape) for w in model.trainable_weights)


@pytest.fixture(scope="module")
def paper():
    return networks.build("fds_cnn", "paper")


def test_paper_size(paper):
    assert trainable(paper) == 10_446_849
    assert paper.count_params() - trainable(paper) == 101_656


def test_paper_works_at_half_resolution_throughout(paper):
    """One down-sampling in the entire model (Sect. 2.2): 56 x 64 from conv1 to the logits."""
    kinds = (networks.SeparableConv, networks.ConvNorm, keras.layers.Conv2D)
    found = [
        layer for layer in paper.layers if isinstance(layer, kinds) and layer.name != "aspp_pool"
    ]
    assert len(found) == 80
    assert {layer.output.shape[1:3] for layer in found} == {(56, 64)}
    assert [layer.name for layer in found if getattr(layer, "stride", 1) > 1] == ["conv1"]
    assert paper.get_layer("decoder_concat").output.shape[-1] == 200


def test_paper_rates_are_those_of_the_configuration(paper):
    for name in ("entry1", "entry2", "entry3", "middle1", "middle16", "exit1", "exit2"):
        got = [paper.get_layer(f"{name}_sep{i}").rate for i in (1, 2, 3)]
        assert got == [1, 2, 5], name
    assert paper.get_layer("conv1").rate == 1
    assert paper.get_layer("conv2").rate == 2
    assert [paper.get_layer(f"aspp_sep{i}").rate for i in (1, 2, 3)] == [6, 12, 18]
    assert "middle17_sep1" not in [layer.name for layer in paper.layers]


def test_relu_stands_inside_only_where_deeplab_has_it(paper):
    separable = [layer for layer in paper.layers if isinstance(layer, networks.SeparableConv)]
    inside = {layer.name for layer in separable if layer.relu == "inside"}
    pyramid = {f"aspp_sep{i}" for i in (1, 2, 3)}
    assert inside == pyramid | {f"exit2_sep{i}" for i in (1, 2, 3)} | {"decoder1", "decoder2"}
    assert {layer.name for layer in separable if layer.relu == "after"} == {"conv1", "conv2"}
    assert {layer.relu for layer in separable} == {"inside", "after", "before"}
    shortcuts = [layer for layer in paper.layers if layer.name.endswith("_shortcut")]
    assert {layer.relu for layer in shortcuts} == {"none"}
    assert len(shortcuts) == 4


def test_skips_start_where_the_paper_says(paper):
    for skip, source in (
        ("third_layer", "entry1_sep1"),
        ("entry", "entry3_add"),
        ("middle", "middle16_add"),
    ):
        assert paper.get_layer(f"skip_{skip}").input is paper.get_layer(source).output


def parameters(config, channels=1):
    """Trainable parameters counted by hand: kernels, and two numbers a normalised channel."""

    def c(width):
        return max(1, round(width * config.width))

    def one(a, b):
        return a * b + 2 * b

    def three(a, b, kind=None, multiplier=1):
        if (kind or config.convolution) == "standard":
            return 9 * a * b + 2 * b
        between = 2 * a * multiplier if config.norm_between else 0
        return 9 * a * multiplier + between + one(a * multiplier, b)

    stem = "standard" if config.stem == "standard" else None
    total = three(channels, c(32), stem, config.stem_depth_multiplier)
    total += three(c(32), c(64), stem)
    modules = [
        (64, (128, 128, 128), True),
        (128, (256, 256, 256), True),
        (256, (728, 728, 728), True),
        *[(728, (728, 728, 728), False)] * config.middle_units,
        (728, (728, 1024, 1024), True),
        (1024, (1536, 1536, 2048), False),
    ]
    for start, widths, shortcut in modules:
        for a, b in zip((start, *widths), widths, strict=False):
            total += three(c(a), c(b))
        total += one(c(start), c(widths[-1])) if shortcut else 0
    branches = len(config.aspp_rates) + config.aspp_pointwise + config.image_pooling
    wide = c(config.aspp_width)
    total += len(config.aspp_rates) * three(c(2048), wide)
    total += (config.aspp_pointwise + config.image_pooling) * one(c(2048), wide)
    total += one(branches * wide if branches else c(2048), wide)
    narrow, decoder = c(config.skip_width), c(config.decoder_width)
    sources = {"third_layer": 128, "entry": 728, "middle": 728}
    total += sum(one(c(sources[skip]), narrow) for skip in config.skips)
    total += three(wide + narrow * len(config.skips), decoder) + three(decoder, decoder)
    outputs = 2 if config.head == "softmax" else 1
    return total + decoder * outputs + outputs


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (TINY, 317_784),
        (networks.config_of("fds_cnn", "laptop"), 1_417_109),
        (replace(PAPER, middle_units=8), 7_153_377),
        (replace(PAPER, stem_depth_multiplier=1), 10_446_444),
        (replace(PAPER, image_pooling=False), 10_299_137),
    ],
    ids=["tiny", "laptop", "middle 8", "literal stem", "no image pooling"],
)
def test_parameters(config, count):
    assert trainable(networks.build("fds_cnn", config)) == count
    assert parameters(config) == count


def shifted(stride_at):
    """One stride of 2, at another place; that layer's rate is 1."""
    strides = [[1] * len(group) for group in STRIDES]
    rates = [list(group) for group in PAPER.rates]
    block, convolution = stride_at
    strides[block][convolution] = 2
    rates[block][convolution] = 1
    return {"strides": strides, "rates": rates}


ALTERNATIVES = {
    "stride at conv2": shifted((1, 0)),
    "stride at the third layer": shifted((2, 0)),
    "no stride": {"strides": [[1] * len(group) for group in STRIDES]},
    "rates 1, 2, 3": {"rates": [[1], [2]] + [[1, 2, 3]] * 6},
    "pyramid 3, 6, 12": {"aspp_rates": (3, 6, 12)},
    "no 1x1 branch": {"aspp_pointwise": False},
    "no image pooling": {"image_pooling": False},
    "first skip from the end of entry1": {"first_skip": 3},
    "wide skips": {"skip_width": 96},
    "standard stem": {"stem": "standard"},
    "literal stem": {"stem_depth_multiplier": 1},
    "ReLU inside": {"relu_inside": True},
    "BN after pointwise only": {"norm_between": False},
    "softmax": {"head": "softmax"},
    "standard convolutions": {"convolution": "standard"},
    "no skips": {"skips": ()},
    "the first skip alone": {"skips": ("third_layer",)},
    "the skips in another order": {"skips": ("middle", "entry", "third_layer")},
    "two strides, enlarged in the decoder": {
        "strides": [[2], [1], [1, 1, 2], *STRIDES[3:]],
        "rates": [[1], [2], [1, 2, 1], *PAPER.rates[3:]],
    },
}


def built(config, shape=(20, 16, 1)):
    """The network and its answer in training mode, as fresh moving statistics hide the image."""
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).uniform(0, 1, (2, *shape)).astype(np.float32)
    model = networks.build("fds_cnn", config, shape)
    return model, keras.ops.convert_to_numpy(model(x, training=True))


SMALL = replace(TINY, middle_units=1, dropout=0.0)
ODD = (21, 19, 1)


@pytest.fixture(scope="module")
def default_answer():
    return built(SMALL)[1]


@pytest.fixture(scope="module")
def default_odd_answer():
    return built(SMALL, ODD)[1]


@pytest.mark.parametrize("change", ALTERNATIVES.values(), ids=ALTERNATIVES.keys())
def test_each_alternative_builds_and_changes_the_answer(change, default_answer):
    config = replace(SMALL, **change)
    model, got = built(config)
    assert trainable(model) == parameters(config)
    assert got.shape == (2, 20, 16, 1)
    assert np.isfinite(got).all()
    assert np.abs(got - default_answer).max() > 1e-3


def varied(name, config=SMALL):
    return networks.fds_cnn.VARIANTS[name](config)


@pytest.mark.parametrize("name", networks.variants("fds_cnn"))
def test_each_variant_builds_at_an_odd_size_and_changes_the_answer(name, default_odd_answer):
    config = varied(name)
    model, got = built(config, ODD)
    assert model.output_shape == (None, 21, 19, 1)
    assert got.shape == (2, 21, 19, 1)
    assert np.isfinite(got).all()
    assert np.abs(got - default_odd_answer).max() > 1e-3
    assert trainable(model) == parameters(config)


@pytest.mark.parametrize("size", ["tiny", "laptop", "paper"])
@pytest.mark.parametrize("name", networks.variants("fds_cnn"))
def test_a_variant_is_found_by_its_name_in_every_size(name, size):
    config = networks.config_of("fds_cnn", size, name)
    assert config == varied(name, networks.config_of("fds_cnn", size))
    assert config != networks.config_of("fds_cnn", size)
    assert networks.config_from_dict("fds_cnn", config.to_dict()) == config


def test_variants_leave_out_what_their_name_says():
    kinds = {
        name: (networks.build("fds_cnn", varied(name), ODD), varied(name))
        for name in ("standard", "no_dilation", "two_down", "four_down", "no_aspp", "no_skips")
    }
    for name, (model, config) in kinds.items():
        found = {layer.name: layer for layer in model.layers}
        kinds_with_rate = (networks.SeparableConv, networks.ConvNorm)
        rates = {layer.rate for layer in model.layers if isinstance(layer, kinds_with_rate)}
        separable = [x for x in model.layers if isinstance(x, networks.SeparableConv)]
        assert (rates == {1}) == (name == "no_dilation")
        assert (not separable) == (name == "standard")
        assert ("aspp_concat" not in found) == (name == "no_aspp")
        assert ("skip_entry" not in found) == (name == "no_skips")
        strides = [n for n, layer in found.items() if getattr(layer, "stride", 1) > 1]
        down = {"two_down": ["entry1"], "four_down": ["entry1", "entry2", "entry3"]}.get(name, [])
        layout = [f"{block}_{what}" for block in down for what in ("sep3", "shortcut")]
        assert strides == ["conv1", *layout]
        assert config.stride == 2 ** (1 + len(down))
        assert config.decoder_stride == 2


def test_variants_of_the_paper_keep_or_change_its_parameters():
    counts = {
        name: parameters(varied(name, PAPER)) - parameters(PAPER)
        for name in networks.variants("fds_cnn")
    }
    assert {name for name, change in counts.items() if change == 0} == {
        "no_dilation",
        "two_down",
        "four_down",
        "aligned",
        "aligned_two_down",
        "aligned_four_down",
    }
    assert counts["literal_stem"] == 10_446_444 - 10_446_849
    assert counts["full_width"] > 3 * parameters(PAPER) - 1e6
    assert min(counts["no_aspp"], counts["no_skips"]) < 0 < counts["standard"]


def test_an_unknown_variant_is_refused_with_those_that_exist():
    with pytest.raises(ConfigError, match="no variant 'no_such'.*standard, no_dilation"):
        networks.config_of("fds_cnn", "tiny", "no_such")
    with pytest.raises(ConfigError, match="it has: none"):
        networks.config_of("deeplabv3plus", "tiny", "standard")


def test_the_middle_module_may_have_rates_for_each_repetition():
    each = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    rates = (*PAPER.rates[:5], sum(each, ()), *PAPER.rates[6:])
    config = replace(TINY, middle_units=3, rates=rates)
    assert config.rates_of("middle") == list(each)
    model = networks.build("fds_cnn", config, (20, 16, 1))
    for unit, wanted in enumerate(each, 1):
        got = [model.get_layer(f"middle{unit}_sep{i}").rate for i in (1, 2, 3)]
        assert tuple(got) == wanted
    assert trainable(model) == parameters(replace(TINY, middle_units=3))
    same = (*PAPER.rates[:5], (1, 2, 5) * 3, *PAPER.rates[6:])
    repeated = replace(TINY, middle_units=3, rates=same)
    assert repeated.rates_of("middle") == replace(TINY, middle_units=3).rates_of("middle")
    with pytest.raises(ConfigError, match="groups"):
        replace(config, middle_units=2)


def test_enlarging_logits_or_features_is_the_same_function():
    x = np.random.default_rng(0).uniform(0, 1, (1, 20, 16, 1)).astype(np.float32)
    logits, features = (
        networks.build("fds_cnn", replace(SMALL, upsample=what), (20, 16, 1))
        for what in ("logits", "features")
    )
    features.set_weights(logits.get_weights())
    a, b = (keras.ops.convert_to_numpy(m(x, training=True)) for m in (logits, features))
    np.testing.assert_allclose(a, b, atol=1e-4)
    assert features.get_layer("logits").output.shape[1:3] == (20, 16)
    assert logits.get_layer("logits").output.shape[1:3] == (10, 8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strides": ((2,), (1,))}, "groups"),
        ({"rates": ((2,), *PAPER.rates[1:])}, "conv1.*set its rate to 1"),
        ({"skips": ("third_layer", "exit")}, "third_layer, entry, middle, not .exit"),
        ({"skips": ("entry", "entry")}, "skips of FDSCNNConfig takes each once"),
        ({"convolution": "wavelet"}, "separable"),
        ({"upsample": "nothing"}, "logits"),
        ({"rates": (*PAPER.rates[:5], (1, 2, 5, 1), *PAPER.rates[6:])}, "groups"),
        ({"rates": ((0,), *PAPER.rates[1:])}, "rates of .* whole number, at least 1 .*, not 0"),
        ({"strides": shifted((5, 0))["strides"]}, "middle"),
        ({"stem": "wavelet"}, "separable"),
        ({"head": "tanh"}, "softmax"),
        ({"first_skip": 2}, "first_skip"),
        ({"width": 0.0}, "width"),
        ({"middle_units": 0}, "middle_units"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        replace(PAPER, **change)


@pytest.mark.parametrize(("name", "exact"), [
    ("aligned", True), ("aligned_two_down", True), ("aligned_four_down", True),
    ("two_down", False), ("four_down", False),
])  # fmt: skip
def test_in_aligned_variants_a_point_stays_where_it_is(name, exact):
    """With kernels that only smooth, the answer to a point is symmetric about that point."""
    config = replace(varied(name, replace(TINY, width=0.02, middle_units=1)), aspp_rates=(1,))
    model = networks.build("fds_cnn", config, (640, 16, 1))
    for weight in model.weights:
        if weight.name in ("kernel", "depthwise", "pointwise"):
            weight.assign(np.ones(weight.shape) / 9)
    x = np.zeros((1, 640, 16, 1), np.float32)
    x[0, 320] = 1
    logits = keras.Model(model.input, model.get_layer("upsample").output)
    line = keras.ops.convert_to_numpy(logits(x, training=False))[0, :, 0, 0]
    before, behind = line[320:220:-1], line[320:420]
    assert before[0] > before[-1] > 0
    assert np.allclose(before, behind, rtol=1e-3) == exact
