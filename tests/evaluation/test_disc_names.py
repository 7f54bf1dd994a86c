"""Names of discs, and when they are uncertain."""

import numpy as np
import pytest
from spines import SHAPE, SPACING, ellipsoid, spine

from ivdlib.errors import ConfigError
from ivdlib.evaluation.disc_chain import find_chain
from ivdlib.evaluation.disc_names import DISC_NAMES, name_chain
from ivdlib.evaluation.disc_table import find_discs


def names(labels, **how):
    return name_chain(find_chain(labels > 0, SPACING), **how)


@pytest.mark.parametrize("turn", [-8, 0, 8])
@pytest.mark.parametrize("count", [5, 7])
def test_a_whole_lumbar_spine_has_its_names(turn, count):
    found = names(spine(count=count, turn=turn))
    assert found.levels == DISC_NAMES[1 : 1 + count] and found.from_sacrum == (
        *range(1, count + 1),
    )
    assert not found.uncertain and found.probability > 0.95
    assert "if there are five lumbar bodies" in found.decisions[-1]


def test_the_remnant_in_the_sacrum_is_told_from_a_disc():
    found = names(spine("S1/2", 7))
    assert found.levels[:2] == ("S1/2", "L5/S1") and found.from_sacrum[:2] == (0, 1)
    assert found.uncertain and found.second[0] == "L5/S1"


def test_a_small_piece_far_below_takes_no_name_from_a_disc():
    """As bowel before the sacrum may look like a disc: it leans like one, and follows the curve."""
    labels = spine(count=6, start=75.0)
    bowel = ellipsoid(SHAPE, SPACING, (36, 38, 33), 24.0, (12, 10, 4))
    found = names(labels + 10 * bowel)
    assert found.dropped == 1 and found.levels == DISC_NAMES[1:7] and found.uncertain
    assert found.doubts == ("a piece below the lowest disc was left out",)
    assert found.decisions[0].startswith("left out: the lowest piece, 2.0 ml, is no disc")
    discs = find_discs((labels > 0) | bowel, SPACING)
    np.testing.assert_array_equal(discs.numbered, labels)


def test_without_the_sacrum_names_are_uncertain():
    for first in ("L4/5", "L3/4"):
        found = names(spine(first, 5, start=20.0))
        assert found.uncertain
    assert "the sacrum is not in view" in "".join(names(spine("L3/4", 6, start=20.0)).doubts)


def test_a_missed_disc_is_counted_and_told():
    found = names(spine(skip=(3,)))
    assert found.levels == ("L5/S1", "L4/5", "L3/4", "L1/2", "T12/L1", "T11/12")
    assert found.from_sacrum == (1, 2, 3, 5, 6, 7)
    assert "a disc seems to be missing above L3/4" in found.doubts
    assert found.decisions[0].startswith("gap: 7") and found.uncertain


def test_a_missed_lowest_disc_does_not_pass_unnoticed():
    found = names(spine(skip=(0,), start=60.0))
    assert found.levels[0] == "L4/5" or found.uncertain


def test_few_discs_are_uncertain():
    assert any("only 3 discs" in text for text in names(spine(count=3)).doubts)


def test_who_knows_the_lowest_disc_says_so():
    found = names(spine(count=4), lowest="L4/5")
    assert found.levels == DISC_NAMES[2:6] and not found.uncertain and found.probability == 1
    assert found.decisions[-1] == "named: the lowest disc is L4/5, as was said"
    with pytest.raises(ConfigError, match="'L6' is no name of a disc"):
        names(spine(count=2), lowest="L6")


def test_a_disc_that_the_border_cuts_does_not_count_by_its_size():
    labels = spine(count=5)
    labels[:, :, np.argwhere(labels == 5).mean(axis=0).astype(int)[2] :] = 0
    chain = find_chain(labels > 0, SPACING)
    cut = [False] * 4 + [True]
    assert name_chain(chain, cut=cut).levels == DISC_NAMES[1:6]


def test_nothing_has_no_name_and_many_run_out_of_names():
    assert names(np.zeros((4, 5, 6), np.uint8)).levels == ()
    labels = spine(count=7)
    found = names(labels, lowest="T8/9")
    assert found.levels == (*DISC_NAMES[10:], "", "", "") and found.from_sacrum[-1] == 16
