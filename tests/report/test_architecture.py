"""The drawing of a network has the numbers of its configuration."""

import pytest

from ivdlib import networks
from ivdlib.networks import cost
from ivdlib.report import architecture


@pytest.mark.parametrize("variant", networks.variants("fds_cnn"))
def test_every_variant_can_be_listed_and_drawn(variant):
    config = networks.config_of("fds_cnn", "tiny", variant)
    rows = cost.layer_table(networks.build("fds_cnn", config))
    assert rows["all_multiply_adds"].is_monotonic_increasing
    assert architecture.architecture(config).axes


def words(figure):
    return "\n".join(text.get_text() for text in figure.axes[0].texts)


def test_architecture_takes_its_numbers_from_the_configuration():
    config = networks.config_of("fds_cnn", "paper")
    text = words(architecture.architecture(config, (112, 128)))
    for part in ("112 × 128", "middle × 16\n364 maps", "768·768·1024", "stride 2", "rate 18",
                 "1 × 1, 24 maps", "128 maps each"):  # fmt: skip
        assert part in text, part
    tiny = words(architecture.architecture(networks.config_of("fds_cnn", "tiny"), (36, 28)))
    assert "middle × 2\n91 maps" in tiny and "36 × 28" in tiny
