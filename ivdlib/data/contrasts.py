"""The words for images: the four Dixon contrasts, and the sums of two that the paper adds."""

from __future__ import annotations

import re
from collections.abc import Iterable

CONTRASTS = ("wat", "fat", "inn", "opp")
"""Water, fat, in-phase and opposed-phase image, in the order of Tables 1 and 2 of the paper."""


def contrast_order(name: str) -> tuple[int, str]:
    """Sort key: Dixon contrasts first, in the order of `CONTRASTS`, then by name."""
    return (CONTRASTS.index(name) if name in CONTRASTS else len(CONTRASTS), name)


FUSED: tuple[str, ...] = ("wat+opp", "fat+opp", "wat+inn", "inn+opp")
"""The four fused contrasts of the paper's Table 2, in its order."""


def parts(name: str) -> set[str]:
    """Contrasts of an image by its name: ``wat``, ``wat+opp``, ``0.3*wat+0.7*opp``, ``wat&opp``."""
    return {part.rpartition("*")[2] for part in re.split("[+&]", name)}


def is_derived(name: str, derived: Iterable[str]) -> bool:
    """Whether an image rests on a derived contrast."""
    return not parts(name).isdisjoint(derived)
