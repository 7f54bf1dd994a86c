"""The picture at the head of the README: a phantom on its way through the two shipped networks.

    python benchmarks/weights/front_picture.py

The person is the first of those that `judge.py --final` scores, so nobody was chosen; no network
was trained on him or her. Writes `reports/reference/front.png`, and the Dice of the whole scan is
in its last title.
"""

from __future__ import annotations

from pathlib import Path

import judge
import numpy as np
from matplotlib import patheffects
from matplotlib.figure import Figure

from ivdlib.data.case import Case
from ivdlib.evaluation import metrics
from ivdlib.evaluation.disc_table import find_discs
from ivdlib.report import plotting
from ivdlib.training import one_scan

PLACE = Path(__file__).resolve().parents[2] / "reports" / "reference"
AROUND_MM = 50.0
"""Of the slice that is shown about the spine, front and back."""


def drawn(case: Case, truth: np.ndarray, found: one_scan.Segmented) -> Figure:
    """Three panels of the middle slice: the water image, the spine, the discs."""
    discs = find_discs(found.mask, case.spacing, case.contrasts, found.votes)
    k = plotting.middle_slice(found.mask)
    rows, margin = np.flatnonzero(found.spine[k].any(axis=1)), round(AROUND_MM / case.spacing[1])
    band = slice(max(0, rows[0] - margin), rows[-1] + margin)
    image, labels = case.contrasts["wat"][k][band], discs.chain.labels[k][band]
    limits = tuple(np.percentile(image, (0.5, 99.7)))
    figure, axes = plotting.slice_panels([1.0], 3, image, case.spacing)
    scan, spine, last = axes[0]
    plotting.draw(scan, image, case.spacing, "1  a scan", limits=limits)
    first = {"found": found.spine[k][band]}
    plotting.draw(spine, image, case.spacing, "2  first the spine is found", first, limits)
    both = {"truth": truth[k][band], "found": found.mask[k][band]}
    title = f"3  then its discs (Dice {metrics.dice(found.mask, truth):.2f})"
    plotting.draw(last, image, case.spacing, title, both, limits)
    halo = [patheffects.withStroke(linewidth=2.2, foreground="black")]
    for number, level in enumerate(discs.names.levels, start=1):
        rows, columns = np.nonzero(plotting.upright(labels == number))
        if rows.size:
            last.text(columns.min() - 3, rows.mean(), level or "?", color="white", fontsize=9,
                      ha="right", va="center", path_effects=halo)  # fmt: skip
    plotting.mask_legend(figure, ["found", "truth"])
    return figure


def main() -> None:
    """Draw and write it."""
    recipe = judge.the_recipe()
    disc, spine = judge.load_both("fds_cnn")
    case, truth, beyond = next(judge.people(recipe, final=True))
    found = one_scan.segment_case(disc, case, spine=spine)
    plotting.save({"front": drawn(case, (truth > 0) | beyond, found)}, PLACE)


if __name__ == "__main__":
    main()
