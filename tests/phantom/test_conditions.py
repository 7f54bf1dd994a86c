"""What can be chosen about a phantom."""

import pytest

from ivdlib.errors import ConfigError
from ivdlib.phantom import RATES, Conditions


def test_rates_that_are_not_named_keep_their_default():
    chosen = Conditions(rates={"schmorl": 1.0}, noise=0.02)
    assert chosen.rates == {**RATES, "schmorl": 1.0}
    assert chosen.noise == 0.02 and chosen.swap == Conditions().swap


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"rates": {"gout": 0.1}}, "rates.gout of Conditions takes one of degeneration"),
        (
            {"rates": {"schmorl": 1.5}},
            "rates.schmorl of Conditions takes a number, at least 0 and at most 1, not 1.5",
        ),
        ({"rates": 3}, "rates of Conditions takes a table"),
        (
            {"noise": -0.1},
            "noise of Conditions takes a number, at least 0 and at most 0.5, not -0.1",
        ),
        ({"noise": float("nan")}, "noise of Conditions takes a number, .*, not nan"),
        (
            {"swap": "often"},
            "swap of Conditions takes a number, at least 0 and at most 1, not 'often'",
        ),
        (
            {"jitter_mm": 9},
            "jitter_mm of Conditions takes a number, at least 0 and at most 3, not 9",
        ),
        ({"artefacts": float("inf")}, "artefacts of Conditions takes a number"),
        ({"variety": -1}, "variety of Conditions takes a number"),
    ],
)
def test_senseless_choices_are_refused(wrong, says):
    with pytest.raises(ConfigError, match=says):
        Conditions(**wrong)
