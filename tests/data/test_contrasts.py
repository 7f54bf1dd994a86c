"""The words for images, and which contrasts an image is made of."""

import pytest

from ivdlib.data.contrasts import CONTRASTS, contrast_order, is_derived, parts


def test_contrasts_stand_in_the_order_of_the_paper_and_others_follow():
    assert tuple(sorted(["t2", *reversed(CONTRASTS), "ct"], key=contrast_order)) == (
        *CONTRASTS, "ct", "t2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "made_of"),
    [
        ("wat", {"wat"}),
        ("wat+opp", {"wat", "opp"}),
        ("0.3*wat+0.7*opp", {"wat", "opp"}),
        ("wat&opp", {"wat", "opp"}),
    ],
)
def test_an_image_rests_on_its_parts(name, made_of):
    assert parts(name) == made_of
    assert is_derived(name, ["wat"]) and not is_derived(name, ["fat"])
