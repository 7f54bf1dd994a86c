"""The widgets of the lessons in JupyterLab: each is moved by keyboard, and its picture changes.

The picture of `saliency` is clicked as well.
"""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from ivdlib.phantom import make_phantom

CELLS = (
    "import ivdlib\n"
    "from ivdlib.course import viewer\n"
    "case = ivdlib.load_case('data')\n"
    "viewer.volume(case, case.discs)",
    "viewer.fusion_mixer(case)",
    "viewer.receptive_field()",
    "viewer.network_playground(case)",
    "viewer.saliency(case)",
)
LONGEST, NEVER = 5000, 20_000
"""Milliseconds; the widgets are made for 200 (and `saliency`, which asks for gradients, for 1000),
but this machine may have other work. After the second nothing more is waited for."""

# A page cannot read a WebGL picture back unless it says so beforehand.
SCRIPT = """
const original = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, options) {
  return original.call(this, kind, {...options, preserveDrawingBuffer: true});
};
window.watch = (cell) => {
  const output = document.querySelectorAll('.jp-CodeCell')[cell];
  const look = () => {
    const canvas = output.querySelector('canvas');
    return canvas ? canvas.toDataURL() : output.querySelector('.jp-OutputArea-output img').src;
  };
  const before = look();
  let pressed = null;
  const note = () => { pressed = performance.now(); };
  for (const kind of ['keydown', 'pointerdown'])
    window.addEventListener(kind, note, {capture: true, once: true});
  window.answer = new Promise((resolve) => {
    const loop = () => {
      const now = performance.now();
      if (pressed !== null && (look() !== before || now - pressed > 20000)) resolve(now - pressed);
      else requestAnimationFrame(loop);
    };
    loop();
  });
};
"""
FOCUSED = """([cell, selector]) => {
  const output = document.querySelectorAll('.jp-CodeCell')[cell].querySelector('.jp-OutputArea');
  const all = output ? [...output.querySelectorAll(selector)] : [];
  return all.indexOf(document.activeElement);
}"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder with one small scan, and a notebook with the widgets."""
    pytest.importorskip("ipyniivue")
    root = tmp_path_factory.mktemp("widgets")
    make_phantom(root / "data", subjects=1, stages=1, slices=6, in_plane=128)
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    nbformat.write(notebook, root / "widgets.ipynb")
    return root


def press(page, cell: int, selector: str, number: int, key: str) -> float:
    """Go to a control of a cell's output by tabulator and press a key there.

    Returns the milliseconds until the picture has changed.
    """
    page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
    page.keyboard.press("Escape")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED, [cell, selector]) == number:
            break
    else:
        pytest.fail(f"{selector} {number} of cell {cell} cannot be reached by tabulator")
    page.evaluate(f"window.watch({cell})")
    page.keyboard.press(key)
    return page.evaluate("window.answer")


def click(page, cell: int, x: float, y: float) -> float:
    """Click the picture in a cell's output, at shares of its width and height; as `press`."""
    picture = page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea-output img")
    picture.scroll_into_view_if_needed()
    page.evaluate(f"window.watch({cell})")
    box = picture.bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    return page.evaluate("window.answer")


def pixel(page, cell: int) -> list[int]:
    """The pixel that the text of a picture names."""
    picture = page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea-output img")
    return [
        int(n) for n in re.search(r"pixel \((\d+), (\d+)\)", picture.get_attribute("alt")).groups()
    ]


SHOWS = """words => [...document.querySelectorAll('.jp-OutputArea-output .widget-html')]
    .some(part => words.every(word => part.textContent.includes(word)))"""
"""Whether one widget's text holds these words."""


@pytest.mark.slow
def test_widgets_are_moved_by_keyboard_without_a_network(visit, tmp_path):
    notebook = visit("widgets.ipynb", SCRIPT)
    state = notebook.run_all(tmp_path / "widgets.png")
    page = notebook.page
    assert state["errors"] == []
    page.wait_for_selector("canvas")
    page.wait_for_timeout(2000)  # until the scan is on the graphics card
    times = {
        "slice": press(page, 0, ".noUi-handle", 0, "ArrowLeft"),
        "contrast": press(page, 0, "button", 1, "Enter"),
        "overlay": press(page, 0, "input[type=checkbox]", 0, " "),
        "weight": press(page, 1, ".noUi-handle", 1, "ArrowRight"),
        "fused contrast": press(page, 1, "button", 3, "Enter"),
        "rate": press(page, 2, ".noUi-handle", 1, "ArrowRight"),
        "threshold": press(page, 3, ".noUi-handle", 1, "ArrowRight"),
        "noise": press(page, 3, ".noUi-handle", 2, "ArrowRight"),
        "exchange": press(page, 3, "input[type=checkbox]", 0, " "),
        "lesion": press(page, 3, "button", 7, "Enter"),
    }
    assert max(times.values()) < LONGEST, times
    for words in (
        ("contrast fat", "outlines: found (blue)"),
        ("1 × in phase + 1 × opposed phase",),
        ("Rates 2, 1, 1: a field of 9 × 9",),
        ("water and fat exchanged, noise 0.01", "probability of 0.55", "This is no ablation"),
    ):  # a busy machine is a moment late with the last one
        page.wait_for_function(SHOWS, arg=list(words), timeout=10_000)
    row, column = pixel(page, 4)
    assert press(page, 4, "[role=group]", 0, "ArrowLeft") < NEVER  # to the left is to the front
    assert pixel(page, 4) == [row + 1, column]
    assert press(page, 4, "[role=group]", 0, "Shift+ArrowUp") < NEVER
    assert pixel(page, 4) == [row + 1, column + 10]
    assert click(page, 4, 0.1, 0.75) < NEVER
    assert pixel(page, 4)[1] == pytest.approx(64, abs=1)  # a quarter of 256 from below
    assert notebook.hosts == {"127.0.0.1"}
