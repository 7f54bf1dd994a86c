"""Configurations go to JSON and back."""

import json

import pytest

from ivdlib import networks


@pytest.mark.parametrize("name", networks.NAMES)
@pytest.mark.parametrize("size", ["tiny", "laptop", "paper"])
def test_configuration_returns_from_json(name, size):
    config = networks.config_of(name, size)
    again = networks.config_from_dict(name, json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert hash(again) == hash(config)


def test_a_field_that_came_later_is_not_written_at_its_default():
    """A thousand hashes and the passports of all weights rest on what is written."""
    plain = networks.config_of("fds_cnn", "tiny")
    assert "aligned" not in plain.to_dict()
    aligned = networks.config_of("fds_cnn", "tiny", "aligned")
    assert aligned.to_dict()["aligned"] is True
    assert networks.config_from_dict("fds_cnn", aligned.to_dict()) == aligned
