"""Values on the command line and the defaults that help tells."""

import re

import pytest

from ivdlib import cli, profiles
from ivdlib.cli.arguments import value


@pytest.mark.parametrize(
    ("field", "text", "read"),
    [
        ("arms", "with", ("with",)),
        ("networks", "unet,fds_cnn", ("unet", "fds_cnn")),
        ("spine.region", "true", "true"),
        ("spine.region", "none", "none"),
        ("folds", "none", None),
        ("score_discs", "True", True),
        ("training.learning_rate", "1e-3", 1e-3),
        ("training.tile", "48,64", (48, 64)),
        ("training.steps", "many", "many"),
    ],
)
def test_values_are_read_as_their_field_needs(field, text, read):
    assert value(text, like=profiles.current(profiles.profile("paper"), field)) == read


@pytest.mark.parametrize("command", ["score", "report", "grid", "audit"])
def test_help_says_a_default_once(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "(default: )" not in text and "frozenset" not in text
    assert not re.search(r"\(default[^()]*\) \(default", text)
