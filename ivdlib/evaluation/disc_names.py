"""Which discs a chain holds: `L5/S1`, `L4/5` and so on, and how sure that is.

Nothing in a lumbar scan says for certain which vertebra is which: one person in seven to ten has a
transitional one, and only a scan of the whole spine would show it. So names follow the convention
that there are *five lumbar bodies* and that the lowest movable disc is `L5/S1`.

What tells L5/S1 from its neighbours, in any contrast: the discs lean forwards more and more towards
the sacrum (31° at L5/S1, 14° at L4/5, 3° at L3/4); their volume falls off above L3/4, and the
remnant between S1 and S2 holds a sixth of the disc above it and lies 24 mm below it, not 37. These
numbers are those that the phantom is made from (`phantom.subject`). Each name of the lowest disc is
held against them; how well the chain fits is turned into a probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ivdlib.errors import ConfigError
from ivdlib.evaluation.disc_chain import Chain, DiscPlace

DISC_NAMES = (
    *("S1/2", "L5/S1", "L4/5", "L3/4", "L2/3", "L1/2"),
    *("T12/L1", "T11/12", "T10/11", "T9/10", "T8/9", "T7/8", "T6/7", "T5/6"),
)
"""From caudal to cranial."""

TILT = np.array([41.0, 31, 14, 3, -4, -8, -8, -6, -3, 0, 3, 6, 8, 10])
"""Degrees; a whole body may lie turned by some."""

LOG_VOLUME = np.array(
    [-1.8, 0.09, 0.33, 0.31, 0.22, -0.04, -0.33, -0.58, -0.81, -0.99, -1.13, -1.25, -1.35, -1.45]
)
SPACING_MM = np.array([23.6, 36.8, 38.8, 38.5, 36.9, 35.0, 32.8, 30.3, 28.5, 27.0, 26, 25, 24])
"""From each disc to the next one, along the spine."""

TILT_SD, TURN_SD = 7.0, 10.0
VOLUME_SD, SIZE_SD = 0.35, 1.0
SPACING_SD, LENGTH_SD = 0.09, 0.12
"""How far one disc, and all discs of a person together, are from these; logarithms but of angles.
Slabs hold less of all discs, hence the large one for size."""

FALSE_S1_2, MISSED, UNSEEN = 0.04, 0.02, 0.1
"""How often a network marks the remnant in the sacrum, how often it misses a disc in view, and how
often the lowest of those that may be in view is not: lumbar scans show the sacrum."""

FALSE_PIECE, MOST_FALSE = 0.03, 2
"""How often the lowest piece of a chain is no disc, such as bowel before the sacrum, and how many
of them are thought of."""

FALSE_TILT, FALSE_VOLUME, FALSE_SPACING = (20.0, 30.0), (-1.5, 1.0), (np.log(40.0), 0.5)
"""Mean and standard deviation of what such pieces are like: degrees, and logarithms of the volume
over that of the disc above it, and of the way to it in mm."""

SURE = 0.95
"""Names that are less probable are uncertain."""

FEWEST_DISCS = 4
"""Discs whose curve tells enough."""

BELOW_MM = 15.0
"""So much of the scan has to lie below the middle of the lowest disc, or the sacrum is not seen."""

GAP = 1.45
"""Discs that lie farther apart than so many times what is expected have a missed one between."""


@dataclass(frozen=True)
class Names:
    """Names of the discs of a chain, caudal first.

    Attributes
    ----------
    levels, second : tuple of str
        The likeliest names, and those that are likeliest after them.
    from_sacrum : tuple of int
        1 is L5/S1, 0 the remnant S1/2; discs that seem to be missing are counted.
    probability : float
        Of `levels`, by the curve, the sizes and the distances of the discs.
    doubts : tuple of str
        Why the names are uncertain, a sentence each; none: they are not.
    decisions : tuple of str
        What they rest on.
    dropped : int
        So many of the lowest pieces are no discs, and have no name.
    """

    levels: tuple[str, ...]
    second: tuple[str, ...]
    from_sacrum: tuple[int, ...]
    probability: float
    doubts: tuple[str, ...]
    decisions: tuple[str, ...]
    dropped: int = 0

    @property
    def uncertain(self) -> bool:
        """Whether there are doubts."""
        return bool(self.doubts)


def name_chain(chain: Chain, lowest: str | None = None, cut: Sequence[bool] = ()) -> Names:
    """Name the discs of a chain.

    Parameters
    ----------
    chain : Chain
    lowest : str, optional
        Name of the lowest disc, e.g. ``"L5/S1"``, by somebody who knows.
    cut : sequence of bool, optional
        Discs that the edge of the scan cuts: their volume says nothing.

    Raises
    ------
    ConfigError
        If `lowest` is no name of a disc.
    """
    places = chain.places
    if lowest is not None and lowest not in DISC_NAMES:
        raise ConfigError(f"{lowest!r} is no name of a disc; known are {', '.join(DISC_NAMES)}.")
    if not places:
        return Names((), (), (), 0.0, ("there is no disc",), ())
    if lowest is not None:
        return _named(places, DISC_NAMES.index(lowest), 0, 1.0, None, lowest)
    guesses = [
        (_fit_without(places, drop, first, cut), drop, first)
        for drop in range(min(MOST_FALSE + 1, max(len(places) - 1, 1)))
        for first in range(len(DISC_NAMES))
    ]
    (best, drop, first), *others = sorted(guesses, key=lambda guess: -guess[0])
    chance = 1 / np.exp([min(score - best, 0.0) for score, *_ in guesses]).sum()
    other = next(one for one in others if one[2] - one[1] != first - drop)
    return _named(places, first, drop, float(chance), other[2] - other[1] + drop, None)


def _named(
    places: Sequence[DiscPlace],
    first: int,
    drop: int,
    chance: float,
    other: int | None,
    lowest: str | None,
) -> Names:
    """Names if so many pieces are dropped and the lowest disc is `DISC_NAMES[first]`."""
    told = tuple(
        f"left out: the lowest piece, {place.volume:.1f} ml, is no disc by its size, tilt and place"
        for place in places[:drop]
    )
    places = places[drop:]
    rank, gaps = _ranks(places)
    other = first if other is None else max(other, 0)
    levels, second = (tuple(_name(number + r) for r in rank) for number in (first, other))
    doubts: list[str] = []
    if lowest is None:
        doubts = _doubts(places, first, chance, second[0])
        doubts += [f"a disc seems to be missing above {levels[k]}" for k, _ in gaps]
        doubts += ["a piece below the lowest disc was left out"] if drop else []
    decisions = (*told, *_about_gaps(gaps, levels), _why(levels[0], chance, lowest))
    numbers = tuple(int(first + r) for r in rank)
    return Names(levels, second, numbers, chance, tuple(doubts), decisions, drop)


def _fit_without(places: Sequence[DiscPlace], drop: int, first: int, cut: Sequence[bool]) -> float:
    """Logarithm of how well places fit if the lowest `drop` are none and the next is `first`."""
    score = 0.0
    for piece, above, far in zip(places[:drop], places[1:], _distances(places), strict=False):
        score += np.log(FALSE_PIECE) + _plain(piece.tilt, FALSE_TILT)
        score += _plain(np.log(piece.volume / above.volume), FALSE_VOLUME)
        score += _plain(np.log(far), FALSE_SPACING)
    rest = places[drop:]
    rank, _ = _ranks(rest)
    if rank[-1] + first >= len(DISC_NAMES):
        return -np.inf
    return score + _fit(rest, rank + first, cut[drop:]) + np.log(_prior(rest[0], first))


def _plain(value: float, mean_and_sd: tuple[float, float]) -> float:
    mean, sd = mean_and_sd
    return -0.5 * ((value - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


def _name(k: int) -> str:
    return DISC_NAMES[k] if k < len(DISC_NAMES) else ""


def _distances(places: Sequence[DiscPlace]) -> list[float]:
    """From each disc to the next one, mm."""
    pairs = zip(places, places[1:], strict=False)
    return [float(np.linalg.norm(upper.centre - lower.centre)) for lower, upper in pairs]


def _ranks(places: Sequence[DiscPlace]) -> tuple[np.ndarray, list]:
    """Position of each disc above the lowest, missed ones counted; (disc, how far) of the gaps."""
    far = _distances(places)
    usual = np.median(far) if far else 0.0
    rank, gaps = [0], []
    for k, distance in enumerate(far):
        step = max(1, round(distance / usual)) if distance > GAP * usual else 1
        gaps += [(k, distance)] if step > 1 else []
        rank.append(rank[-1] + step)
    return np.array(rank), gaps


def _fit(places: Sequence[DiscPlace], at: np.ndarray, cut: Sequence[bool]) -> float:
    """Logarithm of how well places fit these positions in `DISC_NAMES`."""
    tilt = np.array([place.tilt for place in places])
    volume = np.log([place.volume for place in places])
    whole = [k for k in range(len(places)) if not (len(cut) and cut[k])]
    far = _distances(places)
    next_to = [k for k in range(len(far)) if at[k + 1] - at[k] == 1]
    expected = np.log(SPACING_MM[at[next_to]]) if next_to else np.zeros(0)
    return (
        _normal(tilt - TILT[at], TILT_SD, TURN_SD)
        + _normal((volume - LOG_VOLUME[at])[whole], VOLUME_SD, SIZE_SD)
        + _normal(np.log([far[k] for k in next_to]) - expected, SPACING_SD, LENGTH_SD)
    )


def _normal(off: np.ndarray, each: float, common: float) -> float:
    """Log density of deviations that have a part of their own and one in common; mean zero."""
    if not len(off):
        return 0.0
    off = np.clip(off, -4 * (each + common), 4 * (each + common))
    n, total = len(off), float(off.sum())
    wide = each**2 + n * common**2
    square = float(off @ off) / each**2 - common**2 * total**2 / (each**2 * wide)
    return -0.5 * (square + (n - 1) * np.log(each**2) + np.log(wide) + n * np.log(2 * np.pi))


def _prior(lowest: DiscPlace, first: int) -> float:
    """How likely it is that the lowest disc that was found has this name, before looking at it."""
    if first == 0:
        return FALSE_S1_2
    chance, height = 1.0, float(lowest.centre[2])
    for k in range(first - 1, 0, -1):  # discs below it, which the scan may show
        height -= SPACING_MM[k]
        chance *= MISSED if height > 0 else UNSEEN
    return chance


def _doubts(places: Sequence[DiscPlace], best: int, chance: float, second: str) -> list[str]:
    doubts = []
    if best > 1 or places[0].centre[2] < BELOW_MM:
        doubts.append("the sacrum is not in view, or hardly")
    if best == 0:
        doubts.append("the lowest piece looks like the remnant of a disc within the sacrum")
    if len(places) < FEWEST_DISCS:
        few = "1 disc was" if len(places) == 1 else f"{len(places)} discs were"
        doubts.append(f"only {few} found")
    if chance < SURE:
        doubts.append(f"by its curve and sizes the lowest disc may be {second}, too")
    return doubts


def _about_gaps(gaps: list, levels: Sequence[str]) -> list[str]:
    return [
        f"gap: {distance:.0f} mm from {levels[k]} to the next disc found, too far for neighbours"
        for k, distance in gaps
    ]


def _why(name: str, chance: float, lowest: str | None) -> str:
    if lowest is not None:
        return f"named: the lowest disc is {name}, as was said"
    return (
        f"named: the lowest disc is {name} with a probability of {chance:.2f}, by tilt, size and "
        "distances, if there are five lumbar bodies"
    )
