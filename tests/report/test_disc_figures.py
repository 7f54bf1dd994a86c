"""Pictures of discs by name."""

import numpy as np
from found_discs import found

from ivdlib.report import disc_figures


def test_the_picture_shows_the_image_that_shows_discs_best():
    assert disc_figures.shown_contrast(found(contrasts=("fat", "inn", "wat"))[0]) == "wat"
    assert disc_figures.shown_contrast(found(contrasts=("fat",))[0]) == "fat"


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_each_disc_is_named_once_and_three_slices_are_shown():
    case, _, discs = found()
    figure = disc_figures.three_slices(case, discs)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["12 mm to the left", "wat, middle", "12 mm to the right"]
    for level in discs.names.levels:
        assert texts(figure).count(level) == 1


def test_uncertain_names_have_a_question_mark_and_few_slices_are_enough():
    labels = found()[2].chain.labels[17:19]
    case, _, discs = found(labels=np.uint8(np.where(labels <= 3, labels, 0)))
    figure = disc_figures.three_slices(case, discs)
    assert len(figure.axes) == 1 and "L5/S1?" in texts(figure)
