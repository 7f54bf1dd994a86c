"""Where an image lies."""

from incoming_volume import volume


def test_images_lie_alike_up_to_the_rounding_of_scanners():
    assert volume("wat").lies_like(volume("fat", at=0.09))
    assert not volume("wat").lies_like(volume("fat", at=0.2))
