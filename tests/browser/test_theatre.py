"""A training in JupyterLab: its picture changes while it runs, a film strip stays; the slider.

By keyboard and by mouse; and a training that somebody stops.
"""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

START = """
import ivdlib, keras, numpy as np
from ivdlib import networks
from ivdlib.course import viewer
from ivdlib.course.own.lesson04_train import train
from ivdlib.preprocessing.region import whole_image
rng = np.random.default_rng(0)
truths = np.zeros((6, 32, 32), bool)
for truth in truths:
    row, column = rng.integers(2, 18, 2)
    truth[row : row + 10, column : column + 10] = True
tiles = np.float32(0.3 * rng.random(truths.shape) + 0.6 * truths)
scene = viewer.Scene(tiles[:1], truths[:1], whole_image(tiles[:1].shape), (4.0, 1.25, 1.25))
keras.utils.set_random_seed(0)
small = networks.UNetConfig(base=4, levels=2, bn_momentum=0.8)
model = networks.build("unet", small, (32, 32, 1))
"""
TRAIN = """
stage = viewer.Theatre({"held out": scene}, STEPS)
with stage.follow(model, "training"):
    train(model, tiles[1:], truths[1:], STEPS, 0.03, lambda i, m, *_: (i, m), rng)
"""
SLIDER = """
viewer.learning_rate(tiles[1:], truths[1:], (tiles[0], truths[0]), (4.0, 1.25, 1.25), steps=8)
"""
LATER = "print('the cell after it ran')"

# What stands in the output of a cell, noted whenever it changes.
WATCH = """(cell) => {
  const output = document.querySelectorAll('.jp-CodeCell')[cell];
  window.seen = new Set();
  window.taken = [];
  const look = () => {
    for (const image of output.querySelectorAll('.widget-html img')) window.seen.add(image.src);
    window.taken.push(output.querySelectorAll('.widget-html img').length);
  };
  new MutationObserver(look).observe(output, {childList: true, subtree: true});
}"""
IMAGE = """(cell) => {
  const image = document.querySelectorAll('.jp-CodeCell')[cell].querySelector(
    '.jp-OutputArea-output img');
  return image && [image.src, image.alt];
}"""

FITS = """(cell) => {
  const part = document.querySelectorAll('.jp-CodeCell')[cell].querySelector('.widget-html');
  return part.scrollWidth <= part.clientWidth;
}"""
SIZE = """(cell) => {
  const image = document.querySelectorAll('.jp-CodeCell')[cell].querySelector(
    '.jp-OutputArea-output img');
  return [image.naturalWidth, image.naturalHeight];
}"""


def notebook_of(root: Path, name: str, *cells: str) -> None:
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    nbformat.write(notebook, root / name)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("theatre")
    short, long = TRAIN.replace("STEPS", "30"), TRAIN.replace("STEPS", "100000")
    notebook_of(root, "theatre.ipynb", START, short, LATER)
    notebook_of(root, "stopped.ipynb", START, long, LATER)
    notebook_of(root, "slider.ipynb", START, SLIDER)
    return root


def watch(page) -> None:
    page.locator(".jp-CodeCell").nth(1).wait_for(timeout=90_000)
    page.evaluate(WATCH, 1)


@pytest.mark.slow
def test_the_picture_changes_while_it_trains_and_a_film_strip_stays(visit, tmp_path):
    lesson = visit("theatre.ipynb")
    watch(lesson.page)
    state = lesson.run_all(tmp_path / "theatre.png")
    assert state["errors"] == [] and state["told"] == []  # no red box
    assert len(lesson.page.evaluate("[...window.seen]")) >= 8
    assert max(lesson.page.evaluate("window.taken")) == 1  # in its place, not one below the other
    cell = lesson.page.locator(".jp-CodeCell").nth(1)
    assert cell.locator(".widget-html").count() == 0
    assert cell.locator(".jp-OutputArea-output img").count() == 1
    width, height = lesson.page.evaluate(SIZE, 1)  # JupyterLab shows no text of a still picture
    assert width > 900 and height > 400
    assert lesson.hosts == {"127.0.0.1"}


@pytest.mark.slow
def test_a_training_that_is_stopped_leaves_its_film_and_stops_what_follows(visit, tmp_path):
    lesson = visit("stopped.ipynb")
    page = lesson.page
    watch(page)
    lesson._wait_for_kernel()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function("window.seen.size >= 1", timeout=240_000)
    for width in (1280, 900):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(500)
        page.screenshot(path=tmp_path / f"playing_{width}.png")
        assert page.evaluate(FITS, 1)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Interrupt Kernel").click()
    page.wait_for_function(
        "() => document.body.textContent.includes('Stopped after step')", timeout=120_000
    )
    page.screenshot(path=tmp_path / "stopped.png")
    width, height = page.evaluate(SIZE, 1)
    assert width > 900 and height > 400
    words = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea").inner_text()
    assert "of 100000. The network is as it was then" in words and "Traceback" not in words
    assert "the cell after it ran" not in page.locator(".jp-OutputArea").all_inner_texts()


@pytest.mark.slow
def test_the_rate_is_moved_by_keyboard_and_by_mouse(visit, tmp_path):
    lesson = visit("slider.ipynb")
    state = lesson.run_all(tmp_path / "slider.png")
    assert state["errors"] == []
    page = lesson.page
    handle = page.locator(".noUi-handle").first
    seen = [page.evaluate(IMAGE, 1)]
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"({IMAGE})(1)[0] !== {seen[-1][0]!r}", timeout=60_000)
    seen.append(page.evaluate(IMAGE, 1))
    assert "Learning rate 0.03: " in seen[-1][1]
    box = page.locator(".noUi-base").first.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    page.wait_for_function(f"({IMAGE})(1)[0] !== {seen[-1][0]!r}", timeout=60_000)
    assert "Learning rate 0.0001: too low" in page.evaluate(IMAGE, 1)[1]
    page.screenshot(path=tmp_path / "moved.png")
