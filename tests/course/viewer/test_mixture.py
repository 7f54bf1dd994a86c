"""The controls of a fused contrast: what the sliders and buttons come to."""

import pytest

from ivdlib.course.viewer.mixture import Mixture


@pytest.fixture
def told():
    return []


@pytest.fixture
def mixture(told):
    return Mixture(["fat", "opp", "wat"], lambda: told.append("changed"))


def test_water_and_opposed_phase_stand_at_the_start(mixture):
    assert mixture.formula == "1*opp+1*wat"
    assert mixture.words == "1 × opposed phase + 1 × water"
    assert Mixture(["t2"], lambda: None).words == "1 × t2"  # where no pair can be made


def test_a_slider_changes_the_sum_and_says_so(mixture, told):
    mixture.sliders["wat"].value = -0.5
    assert (mixture.formula, told) == ("1*opp+-0.5*wat", ["changed"])
    assert mixture.words == "1 × opposed phase − 0.5 × water"
    for slider in mixture.sliders.values():
        slider.value = 0
    assert mixture.formula == "0*fat+0*opp+0*wat"  # nothing is left out: the fusion says why


def test_a_button_sets_all_sliders_and_tells_of_it_once(mixture, told):
    names = [button.description for button in mixture.buttons.children]
    assert names == ["wat+opp", "fat+opp"]
    mixture.buttons.children[1].click()
    assert (mixture.formula, told) == ("1*fat+1*opp", ["changed"])
