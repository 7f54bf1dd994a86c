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
