"""What can be chosen about a phantom besides its size: pathology, noise, raters, variety."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real

from ivdlib.errors import ConfigError

RATES = {"degeneration": 0.28, "schmorl": 0.164, "haemangioma": 0.33, "scoliosis": 0.10}
"""How common each finding is: share of discs with a grade of 3 to 5 (twice as common at L4/5 and
L5/S1, half as common in the thorax), of people with Schmorl's nodes (16.4 % of 1 000 and more
spines), with haemangiomas (26 % by CT, 41 % by MR), and with a curve beyond 6 degrees (13 % of
scans under 60 years, fewer in people without pain). The study's men were 20 to 45 years old."""

_LIMITS = {
    "noise": (0, 0.5),
    "swap": (0, 1),
    "jitter_mm": (0, 3),
    "artefacts": (0, 5),
    "variety": (0, 5),
}


@dataclass(frozen=True)
class Conditions:
    """Choices about the people and the scanner of a phantom.

    Attributes
    ----------
    rates : mapping of str to float
        Probability of each finding of `RATES`, 0 to 1; those that are not named keep their default.
    noise : float
        Standard deviation of the complex noise, real and imaginary each, relative to a healthy
        nucleus, before the measured part of k-space smooths it, which leaves 0.69 to 0.85 of it:
        0.055, so 0.04 to 0.05 in the image, within the published 0.02 to 0.07 and as in the discs
        of real crops (patients A to C). Single scans have 0.6 to 1.27 times as much.
    swap : float
        Probability that a region of a scan has water and fat exchanged: 0.05; a fifth of it for
        the whole scan, in place of a region where both together would exceed 1.
    jitter_mm : float
        Standard deviation of the rater's outline about the true one, mm: 0.55, within the 0.4 to
        0.6 of the literature on raters; the outlines then lie 0.43 mm apart on average. 0 writes
        the exact label.
    artefacts : float
        Factor on ghosts, wrap and the like; 0 leaves them out, but for the ringing of a k-space
        that is never measured whole.
    variety : float
        How far people and scanners differ: 1 changes the tissues' values by 8 % and the sharpness
        a little; more is of use to train networks for other scanners.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.055
    swap: float = 0.05
    jitter_mm: float = 0.55
    artefacts: float = 1.0
    variety: float = 1.0

    def __post_init__(self) -> None:
        """Check names and ranges (ConfigError)."""
        unknown = sorted(set(self.rates) - set(RATES))
        if unknown:
            raise ConfigError(
                f"the phantom has no rate called {', '.join(unknown)}; choose from "
                f"{', '.join(RATES)}."
            )
        object.__setattr__(self, "rates", {**RATES, **self.rates})
        checked = {f"rate {name}": (rate, (0, 1)) for name, rate in self.rates.items()}
        checked |= {name: (getattr(self, name), limits) for name, limits in _LIMITS.items()}
        for name, (value, (low, high)) in checked.items():
            if not isinstance(value, Real) or isinstance(value, bool) or not low <= value <= high:
                raise ConfigError(f"{name} must be a number from {low} to {high}, not {value!r}.")
        # Plain numbers: NumPy's do not go into JSON.
        object.__setattr__(self, "rates", {name: float(rate) for name, rate in self.rates.items()})
        for name in _LIMITS:
            object.__setattr__(self, name, float(getattr(self, name)))
