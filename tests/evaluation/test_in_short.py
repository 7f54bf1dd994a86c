"""The last screen of a run: what its sentences say follows from the rows."""

import pandas as pd
import pytest
from table_rows import rows

from ivdlib.evaluation.in_short import in_short

SINGLE, FUSED = ("wat", "fat", "inn", "opp"), ("wat+opp", "fat+opp", "wat+inn", "inn+opp")
PEOPLE = tuple(f"{n:02d}" for n in range(1, 7))


def scored(network, arm, dice, contrasts=SINGLE, wobble=0.0):
    """Six people, whose Dice alternates by `wobble`; fat is 0.1 harder."""

    def value(contrast, seed, case):
        return dice + wobble * (-1) ** int(case) - 0.1 * (contrast == "fat")

    return rows(network=network, trained_on=arm, contrasts=contrasts, cases=PEOPLE, value=value)


def text_of(*parts):
    return in_short(pd.DataFrame([row for part in parts for row in part]), "made up, 6 scans")


def both_arms(with_fusion=0.8, without=0.8, wobble=0.0):
    return [
        scored("fds_cnn", "contrasts+fused", with_fusion, SINGLE + FUSED),
        scored("unet", "contrasts+fused", 0.75, SINGLE + FUSED, wobble),
        scored("fds_cnn", "contrasts", without),
    ]


def test_it_names_the_better_network_and_its_hardest_image():
    text = text_of(*both_arms())
    assert text.startswith("Mean Dice over scans; made up, 6 scans.\n")
    assert (
        "FDS-CNN finds the discs best, ahead of U-Net by +0.050 (+0.050 to +0.050, 6 people: "
        "more than chance); fat is its hardest image." in text
    )


def test_a_network_of_another_size_may_be_the_best():
    other = scored("unet:equal_cost", "contrasts+fused", 0.9)
    assert "U-Net, equal cost finds the discs best, ahead of FDS-CNN" in text_of(
        *both_arms(), other
    )


def test_a_lead_that_people_disagree_on_may_be_chance():
    text = text_of(*both_arms(wobble=0.3))
    (line,) = [line for line in text.splitlines() if "ahead of" in line]
    assert "6 people: may be chance" in line and "more than chance" not in line


def test_a_network_that_misses_one_image_is_named():
    """Its mean says nothing of the others: U-Net with fusion does so on fat."""
    bright = scored("unet", "contrasts+fused", 0.9, ("wat", "inn", "opp"))
    found, lost = (scored("unet", "contrasts+fused", dice, ("fat",)) for dice in (0.9, 0.02))
    other = [{**row, "fold": 2} for row in bright + lost]
    text = text_of(scored("fds_cnn", "contrasts+fused", 0.8), bright, found, other)
    assert "  U-Net finds next to nothing on fat in 1 of 2 trainings" in text
    nothing = [{**row, "dice": 0.0} for row in bright + lost]  # on no image: that is another story
    assert "next to nothing" not in text_of(*both_arms(), nothing)
    assert "next to nothing" not in text_of(*both_arms())


@pytest.mark.parametrize(
    ("without", "told"), [(0.7, "FDS-CNN by +0.100"), (0.9, "FDS-CNN by -0.100")]
)
def test_what_fusion_brings_has_its_sign(without, told):
    assert told in text_of(*both_arms(without=without))


def test_a_fused_contrast_is_held_against_the_best_single_one():
    better = scored("fds_cnn", "contrasts+fused", 0.85, ("inn+opp",))
    single = scored("fds_cnn", "contrasts+fused", 0.8, SINGLE + ("wat+opp", "fat+opp", "wat+inn"))
    text = text_of(better, single)
    assert "fused contrast, inn+opp, differs from its best single one" in text
    assert "by +0.050" in text


def test_the_paper_stands_below_and_is_not_compared():
    text = text_of(*both_arms())
    assert text.count("FDS-CNN, in the paper") == 3
    assert "level atlas" not in text and len(text.splitlines()) < 40


def test_one_network_on_one_contrast_without_fusion():
    text = text_of(scored("unet", "contrasts", 0.8, ("t2",)))
    assert "Table 1. Networks trained WITHOUT fusion" in text and "Table 2" not in text
    assert "→ U-Net alone was scored.\n" in text and "hardest" not in text and "best" not in text


def test_two_people_are_too_few_for_an_interval():
    few = rows(network="fds_cnn", trained_on="contrasts", contrasts=("t2",), cases=("01",))
    more = rows(network="unet", trained_on="contrasts", contrasts=("t2",), cases=("01",), dice=0.1)
    assert "nan" not in text_of(few, more)


def test_nothing_scored_gives_no_table():
    spine = rows(network="unet", trained_on="contrasts", contrasts=("t2",), target="spine")
    assert text_of(spine) == "Mean Dice over scans; made up, 6 scans.\n"


def test_rows_without_a_network_are_shown_and_not_compared():
    text = text_of(scored("level atlas", "contrasts", 0.3))
    assert "level atlas" in text and "→" not in text
