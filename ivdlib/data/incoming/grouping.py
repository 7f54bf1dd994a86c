"""Images put together to scans: of one person and visit, on one grid, each contrast once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ivdlib.data.incoming.volume import LeftOut, Volume
from ivdlib.data.people import key

_NOBODY = re.compile(r"(?:anon\w*|unknown|none|null|test|patient|subject|[0x_.\- ]*)", re.I)
"""Numbers of patients that an anonymiser gave to all of them alike."""


@dataclass(eq=False)
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
    visits: dict[tuple[str, str], list[Volume]] = defaultdict(list)
    for volume in volumes:
        visits[(key(person_of(volume)), visit_of(volume))].append(volume)
    scans: list[IncomingScan] = []
    left: list[LeftOut] = []
    for (person, visit), some in visits.items():
        kept, others = _without_echoes(some)
        runs = [run for grid in _grids(kept) for run in _runs(grid)]
        runs, cut = _without_incomplete(runs)
        others += cut
        runs.sort(key=lambda run: min(v.order for v in run.values()))
        when = min(v.session[0] for v in some)
        scans += [IncomingScan(person, (when, visit), n, run) for n, run in enumerate(runs, 1)]
        left += others
    return sorted(scans, key=lambda scan: (scan.person, scan.session, scan.run)), left


def visit_of(volume: Volume) -> str:
    """What tells visits apart: the study, else what BIDS calls the session."""
    when, study = volume.session
    return study or when


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
    told = any(not v.by_echo for v in volumes)
    for grid in _grids(volumes):
        said = {v.contrast: v.facts["series"] for v in grid if not v.by_echo}
        first: dict[tuple, float] = {}
        for v in grid:
            first[_of(v)] = min(first.get(_of(v), np.inf), v.facts["echo_time_ms"] or np.inf)
        for volume in grid:
            why, name = "", volume.contrast
            if volume.by_echo and name in said:
                why = f"a raw echo, and series {said[name]} says itself that it is {name}"
            elif volume.by_echo and told and not said:
                why = "nothing but its echo time says so, and other images of the visit say it"
            elif volume.by_echo and volume.facts["echo_time_ms"] > first[_of(volume)]:
                why = "a later echo of a series that has an earlier one"
            if why:
                left.append(LeftOut(f"{volume.label}, {name}", why, False, volume.patient))
            else:
                kept.append(volume)
    return kept, left


def _of(volume: Volume) -> tuple:
    return volume.contrast, volume.facts["series"]


_PARTINGS: tuple[Callable[[Volume], Any], ...] = (
    lambda v: v.order[0],  # one acquisition has one time, as a rule
    lambda v: (v.order[0], v.variant),
    lambda v: (v.order[0], v.order[2:]),
    lambda v: v.variant,
    lambda v: v.order[2:],
    lambda v: (v.order[0], v.order[2:], v.variant),
)
"""What may tell the scans of one grid apart: time, corrections (ND, NORM), time points."""


def _runs(grid: list[Volume]) -> list[dict[str, Volume]]:
    """Divide images on one grid into scans, in each of which every contrast stands once.

    If each is there once they are one scan, though in- and opposed-phase image be two
    acquisitions. Else what tells acquisitions apart does; else the first of each contrast belong
    together, the second, and so on; else those that follow one another.
    """
    if _once(grid):
        return [{v.contrast: v for v in grid}]
    for tells in _PARTINGS:
        groups: dict[Any, list[Volume]] = defaultdict(list)
        for volume in grid:
            groups[tells(volume)].append(volume)
        if all(len(group) > 1 and _once(group) for group in groups.values()):
            return [{v.contrast: v for v in group} for group in groups.values()]
    in_turn = sorted(grid, key=lambda v: v.order)
    by_contrast: dict[str, list[Volume]] = defaultdict(list)
    for volume in in_turn:
        by_contrast[volume.contrast].append(volume)
    if len({len(some) for some in by_contrast.values()}) == 1:
        return [{v.contrast: v for v in some} for some in zip(*by_contrast.values(), strict=True)]
    runs: list[dict[str, Volume]] = [{}]
    for volume in in_turn:
        if volume.contrast in runs[-1]:
            runs.append({})
        runs[-1][volume.contrast] = volume
    return runs


def _without_incomplete(
    runs: list[dict[str, Volume]],
) -> tuple[list[dict[str, Volume]], list[LeftOut]]:
    """Leave out images that lack slices at an end which others of their acquisition have."""
    kept, left = [], []
    for run in runs:
        few = next(iter(run.values()))
        whole = next((other for many in runs if not {*many} & {*run}
                      for other in many.values() if _is_part(few, other)), None)  # fmt: skip
        if whole is None:
            kept.append(run)
        for volume in run.values() if whole else ():
            why = (
                f"it has {few.shape[2]} slices, other images of its acquisition have "
                f"{whole.shape[2]}; copy the series again from the archive"
            )
            left.append(LeftOut(f"{volume.label}, {volume.contrast}", why, True, volume.patient))
    return kept, left


def _is_part(few: Volume, many: Volume) -> bool:
    """Whether an image holds some slices of the grid of another of the same time."""
    if not few.order[0] or few.order[0] != many.order[0] or few.shape[:2] != many.shape[:2]:
        return False
    there = np.linalg.inv(many.affine) @ few.affine  # its voxels in the other's
    at = there[2, 3]
    same = np.allclose(there[:3, :3], np.eye(3), atol=1e-2) and np.allclose(
        there[:2, 3], 0, atol=0.1
    )
    fits = at > -0.1 and at + few.shape[2] <= many.shape[2] + 0.1
    return bool(same and fits and few.shape[2] < many.shape[2] and abs(at - round(at)) < 0.1)


def _once(volumes: list[Volume]) -> bool:
    return len({v.contrast for v in volumes}) == len(volumes)
