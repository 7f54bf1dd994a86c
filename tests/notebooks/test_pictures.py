"""Pictures of a lesson: as many files, smaller, with their alternative text and size."""

import io

import nbformat
import numpy as np
from bindery import pictures
from PIL import Image


def test_pictures_are_written_once_and_those_of_a_tag_are_known(lesson, tmp_path):
    shelf, notebook = pictures.Shelf(tmp_path), nbformat.read(lesson, as_version=4)
    found = shelf.take(notebook, "07_bones")
    assert list(found) == [(5, 0), (5, 1)]
    assert shelf.tagged == {("07_bones", "card"): found[5, 0]}
    assert [picture.still for picture in found.values()] == [False, True]
    assert found[5, 0].source == "pictures/07_bones-01.webp"
    with Image.open(tmp_path / found[5, 0].source) as picture:
        assert picture.size == (30, 20) == (found[5, 0].width, found[5, 0].height)
    (tmp_path / found[5, 0].source).unlink()
    assert shelf.take(notebook, "07_bones") is found
    assert not (tmp_path / found[5, 0].source).exists()


def test_a_tag_escapes_its_text():
    tag = pictures.Picture("a.webp", 'a "b" <c>', 3, 4).tag()
    assert 'alt="a &quot;b&quot; &lt;c&gt;"' in tag and 'width="3" height="4"' in tag


def test_a_picture_is_smaller_on_white_ground_and_the_same_bytes_again():
    grey = np.linspace(0, 255, 200 * 300).reshape(200, 300).astype(np.uint8)
    alpha = np.full_like(grey, 255)
    alpha[:50] = 0
    buffer = io.BytesIO()
    Image.fromarray(np.stack([grey, grey, grey, alpha], -1)).save(buffer, "PNG")
    size, data = pictures.as_webp(buffer.getvalue())
    assert size == (300, 200) and len(data) < len(buffer.getvalue())
    assert pictures.as_webp(buffer.getvalue())[1] == data
    made = np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int)
    assert (made[:40] > 250).all()
    assert np.abs(made[60:] - grey[60:]).max() < 8
