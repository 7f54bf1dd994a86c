"""The widgets of the lessons in JupyterLab: each is moved by keyboard, and its picture changes.

The picture of `saliency` is clicked as well.
"""

import math
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
    "viewer.draw_disc(case, case.discs)",
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


PLACES = """svg => [...svg.querySelectorAll('circle')].map(dot =>
    [Number(dot.getAttribute('cx')), Number(dot.getAttribute('cy'))])"""
SCORE = """() => [...document.querySelectorAll('.widget-html table tr')]
    .find(row => row.textContent.includes('your drawing – the truth')).children[1].textContent"""


@pytest.mark.slow
def test_a_disc_is_drawn_by_mouse_and_its_points_moved_by_keyboard(visit, tmp_path):
    notebook = visit("widgets.ipynb", SCRIPT)
    assert notebook.run_all(tmp_path / "widgets.png")["errors"] == []
    page = notebook.page
    cell = page.locator(".jp-CodeCell").nth(5)
    svg = cell.locator(".jp-OutputArea svg[role=group]")
    svg.scroll_into_view_if_needed()
    assert len(svg.evaluate(PLACES)) == 12

    def go_round(share: float) -> None:
        """Draw an oval of that share of the picture, free-hand."""
        box = svg.bounding_box()
        for step in range(41):
            angle = 2 * math.pi * step / 40
            page.mouse.move(
                box["x"] + box["width"] * (0.5 + share * math.cos(angle)),
                box["y"] + box["height"] * (0.5 + share / 2 * math.sin(angle)),
            )
            if step == 0:
                page.mouse.down()
        page.mouse.up()

    def press_button(name: str) -> None:
        cell.get_by_role("button", name=name, exact=True).click()

    go_round(0.3)
    assert len(svg.evaluate(PLACES)) > 12
    press_button("keep it and draw again")
    page.wait_for_function(SHOWS, arg=["first drawing is kept"], timeout=LONGEST)
    page.wait_for_function(
        "svg => svg.querySelectorAll('circle').length === 12", arg=svg.element_handle()
    )
    svg.scroll_into_view_if_needed()
    go_round(0.25)
    assert cell.locator("table").count() == 0  # nothing is told while one draws
    press_button("show the truth")
    page.wait_for_function(SHOWS, arg=["your drawing – the first one"], timeout=LONGEST)

    before, score = svg.evaluate(PLACES), page.evaluate(SCORE)
    dot = svg.locator("circle").nth(2)
    dot.focus()
    for _ in range(60):
        page.keyboard.press("ArrowDown")
    after = svg.evaluate(PLACES)
    assert after[2][1] > before[2][1] + 5 and after[2][0] == before[2][0]
    assert after[:2] + after[3:] == before[:2] + before[3:]
    page.wait_for_function(f"({SCORE})() !== '{score}'", timeout=LONGEST)
    page.keyboard.press("+")
    assert len(svg.evaluate(PLACES)) == len(after) + 1
    page.keyboard.press("-")
    page.keyboard.press("Tab")
    assert svg.evaluate(PLACES) == after
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("point 4 ")
    shot = tmp_path / "drawing.png"
    cell.screenshot(path=shot)
    page.set_viewport_size({"width": 900, "height": 1000})
    cell.screenshot(path=tmp_path / "drawing_900.png")
    assert notebook.hosts == {"127.0.0.1"}
