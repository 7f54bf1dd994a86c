"""A picture that is pointed at says so, and its browser's half is told when the answer is there."""

import pytest

from ivdlib.course.viewer.pointing import PointedPicture


@pytest.fixture
def heard(monkeypatch):
    """A picture, what it was asked, and what it sent."""
    asked, sent = [], []
    picture = PointedPicture(
        lambda x, y: asked.append((x, y)), lambda right, up: asked.append([right, up])
    )
    monkeypatch.setattr(picture, "send", sent.append)
    return picture, asked, sent


def test_clicks_and_keys_are_told_apart(heard):
    picture, asked, sent = heard
    picture._handle_custom_msg({"x": 0.25, "y": 1}, [])
    picture._handle_custom_msg({"right": -1, "up": 10}, [])
    assert asked == [(0.25, 1.0), [-1, 10]]
    assert sent == ["drawn", "drawn"]


def test_the_browser_may_ask_again_after_an_error(heard, monkeypatch):
    picture, _, sent = heard

    def fail(*_):
        raise ValueError("no answer")

    monkeypatch.setattr(picture, "_point", fail)
    with pytest.raises(ValueError, match="no answer"):
        picture._hear(picture, {"x": 0, "y": 0}, [])
    assert sent == ["drawn"]
