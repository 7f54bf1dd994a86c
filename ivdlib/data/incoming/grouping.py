"""Images put together to scans: of one person and visit, on one grid, each contrast once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ivdlib.data.incoming.volume import LeftOut, Volume
from ivdlib.data.people import key

_NOBODY = re.compile(r"(?:anon\w*|unknown|none|null|test|patient|subject|[0x_.\- ]*)", re.I)
"""Numbers of patients that an anonymiser gave to all of them alike."""


@dataclass
class IncomingScan:
    """One scan of one person: images on one grid, each contrast once."""

    person: str
    session: tuple[str, str]
    run: int
    images: dict[str, Volume]
    case: str = ""
    subject: str = ""
    stage: str = ""

    @property
    def first(self) -> Volume:
        """The image that speaks for all."""
        return next(iter(self.images.values()))


def person_of(volume: Volume) -> str:
    """What tells one person from another: the number, unless everybody has the same."""
    who = volume.patient
    if volume.kept or not (who.number or who.name) or not volume.session[1]:
        return volume.person
    return next((t for t in (who.number, who.name) if not _NOBODY.fullmatch(t.strip())),
                volume.session[1])  # fmt: skip


def scans_of(volumes: Iterable[Volume]) -> tuple[list[IncomingScan], list[LeftOut]]:
    """Put images together to scans: of one person and visit, on one grid, each contrast once.

    Parameters
    ----------
    volumes : iterable of Volume

    Returns
    -------
    list of IncomingScan
        By person, visit and time.
    list of LeftOut
        Images told by their echo time, if others on their grid say themselves what they show.
    """
    visits: dict[tuple, list[Volume]] = defaultdict(list)
    for volume in volumes:
        visits[(key(person_of(volume)), volume.session)].append(volume)
    scans: list[IncomingScan] = []
    left: list[LeftOut] = []
    for (person, session), some in sorted(visits.items(), key=lambda one: one[0]):
        kept, others = _without_echoes(some)
        runs = [run for grid in _grids(kept) for run in _runs(grid)]
        runs.sort(key=lambda run: min(v.order for v in run.values()))
        scans += [IncomingScan(person, session, n, run) for n, run in enumerate(runs, start=1)]
        left += others
    return scans, left


def _grids(volumes: Iterable[Volume]) -> list[list[Volume]]:
    """Images of each grid."""
    grids: list[list[Volume]] = []
    for volume in volumes:
        place = next((grid for grid in grids if grid[0].lies_like(volume)), None)
        if place is None:
            grids.append([volume])
        else:
            place.append(volume)
    return grids


def _without_echoes(volumes: list[Volume]) -> tuple[list[Volume], list[LeftOut]]:
    """Leave out what only an echo time tells, if it is told better or is some other image."""
    kept: list[Volume] = []
    left: list[LeftOut] = []
    for grid in _grids(volumes):
        said = {v.contrast: v.facts["series"] for v in grid if not v.by_echo}
        for volume in grid:
            why, name = "", volume.contrast
            if volume.by_echo and name in said:
                why = f"a raw echo, and series {said[name]} says itself that it is {name}"
            elif volume.by_echo and len(grid) == 1 and any(not v.by_echo for v in volumes):
                why = "nothing but its echo time says so, and other images of the visit say it"
            if why:
                left.append(LeftOut(f"{volume.label}, {name}", why, False, volume.patient))
            else:
                kept.append(volume)
    return kept, left


def _runs(grid: list[Volume]) -> list[dict[str, Volume]]:
    """Divide images on one grid into scans, in each of which every contrast stands once.

    Images of one acquisition have one time, as a rule; else those that follow one another belong
    together. In- and opposed-phase image may be two acquisitions.
    """
    once = len({v.contrast for v in grid}) == len(grid)
    times: dict[Any, list[Volume]] = defaultdict(list)
    for volume in grid:
        times[() if once else volume.order[0]].append(volume)
    groups = [*times.values()]
    if any(len(group) < 2 or len({v.contrast for v in group}) < len(group) for group in groups):
        groups = [grid]
    runs: list[dict[str, Volume]] = []
    for group in groups:
        runs.append({})
        for volume in sorted(group, key=lambda v: v.order):
            if volume.contrast in runs[-1]:
                runs.append({})
            runs[-1][volume.contrast] = volume
    return runs
