"""Figures of the phantom's page."""

import numpy as np
import pytest

from ivdlib.data.cases import load_case
from ivdlib.phantom.calibration import measure
from ivdlib.report import phantom_figures, plotting


def dots(axes) -> int:
    return sum(np.isfinite(line.get_ydata()).sum() for line in axes.lines)


def test_figures_have_a_dot_for_every_measurement(measured):
    panels = phantom_figures.sizes(measured.levels).axes
    assert [dots(axes) for axes in panels] == [14, 14, 14, 12]
    assert [dots(axes) for axes in phantom_figures.heights(measured.levels).axes] == [14] * 4
    (axes,) = phantom_figures.contrasts(measured.scans).axes
    assert dots(axes) == 5, "the scan with an exchange has no ratios"


def test_bands_are_the_real_ones(measured):
    volume = phantom_figures.sizes(measured.levels).axes[0]
    bars = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in volume.patches]
    assert bars[1] == pytest.approx((7.80, 27.94), abs=0.01)
    assert len(bars) == 7
    low, high = volume.get_ylim()
    assert low < min(bar[0] for bar in bars) and max(bar[1] for bar in bars) < high


def test_example_shows_contrasts_outlines_and_tissues(phantom_folder, measured):
    case = load_case(phantom_folder / "02")
    names = measure.tissue_names(measured.dataset, phantom_folder)
    tissue = measure.stages_beside(case, "Tissue")
    figure = phantom_figures.example(case, tissue, names, measure.stages_beside(case, "Swap"))
    assert [axes.get_title() for axes in figure.axes] == ["wat", "fat", "inn", "opp", "tissue"]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    here = np.unique(tissue[plotting.middle_slice(case.discs)])
    assert words[:2] == ["labelled discs", "water and fat exchanged"]
    assert words[2:] == [names[code].replace("_", " ") for code in sorted(names) if code in here]
    shown = figure.axes[-1].images[0].get_array()
    assert shown.shape[:2] == figure.axes[0].images[0].get_array().shape
    k, colour = plotting.middle_slice(case.discs), {0: (0, 0, 0)}
    for code, value in zip(
        sorted(names), phantom_figures.tissue_colours(names).values(), strict=True
    ):
        colour[code] = tuple(int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
    turned = plotting.upright(tissue[k])
    first = next(c for c in range(turned.shape[1]) if turned[:, c].any()) - 6
    for row, column in ((40, 20), (50, 30), (70, 40)):
        code = int(turned[row, max(first, 0) + column])
        np.testing.assert_allclose(shown[row, column], colour[code])


def test_an_exchange_of_most_of_the_body_hides_nothing(phantom_folder, measured):
    case = load_case(phantom_folder / "02")
    names = measure.tissue_names(measured.dataset, phantom_folder)
    everywhere = np.ones(case.shape, np.uint8)
    figure = phantom_figures.example(case, measure.stages_beside(case, "Tissue"), names, everywhere)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[0] == "labelled discs" and "water and fat exchanged" not in words


def test_every_tissue_has_a_colour_of_its_own(measured, phantom_folder):
    names = measure.tissue_names(measured.dataset, phantom_folder)
    assert 0 not in names
    colours = phantom_figures.tissue_colours({**names, 98: "unknown one", 99: "unknown two"})
    assert len(set(colours.values())) == len(names) + 2
