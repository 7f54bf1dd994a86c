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
        ({"rates": {"gout": 0.1}}, "no rate called gout; choose from degeneration"),
        ({"rates": {"schmorl": 1.5}}, "rate schmorl must be a number from 0 to 1, not 1.5"),
        ({"noise": -0.1}, "noise must be a number from 0"),
        ({"noise": float("nan")}, "noise must be a number"),
        ({"swap": "often"}, "swap must be a number from 0 to 1, not 'often'"),
        ({"jitter_mm": 9}, "jitter_mm must be a number from 0 to 3"),
        ({"artefacts": float("inf")}, "artefacts must be"),
        ({"variety": -1}, "variety must be"),
    ],
)
def test_senseless_choices_are_refused(wrong, says):
    with pytest.raises(ConfigError, match=says):
        Conditions(**wrong)
