"""What can be chosen about a phantom besides its size: pathology, noise, raters, variety."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ivdlib.errors import checked
from ivdlib.options import Number, Share

RATES = {"degeneration": 0.28, "schmorl": 0.164, "haemangioma": 0.33, "scoliosis": 0.10}
"""How common each finding is: share of discs with a grade of 3 to 5 (twice as common at L4/5 and
L5/S1, half as common in the thorax), of people with Schmorl's nodes (16.4 % of 1 000 and more
spines), with haemangiomas (26 % by CT, 41 % by MR), and with a curve beyond 6 degrees (13 % of
scans under 60 years, fewer in people without pain). The study's men were 20 to 45 years old."""

Rates = Annotated[
    dict[Literal[*RATES], Share],
    BeforeValidator(lambda rates: {**RATES, **rates} if isinstance(rates, Mapping) else rates),
]


@checked
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
        Factor on ghosts, wrap and the like; 0 leaves them out, apart from the ringing of a k-space
        that is never measured whole.
    variety : float
        How far people and scanners differ: 1 changes the tissues' values by 8 % and the sharpness
        a little; more is of use to train networks for other scanners.
    """

    rates: Rates = field(default_factory=RATES.copy)
    noise: Annotated[Number, Field(ge=0, le=0.5)] = 0.055
    swap: Share = 0.05
    jitter_mm: Annotated[Number, Field(ge=0, le=3)] = 0.55
    artefacts: Annotated[Number, Field(ge=0, le=5)] = 1.0
    variety: Annotated[Number, Field(ge=0, le=5)] = 1.0
