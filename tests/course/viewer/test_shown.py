"""Each widget has a picture with its text, and controls that change both."""

import base64
import io
import subprocess
import sys

import ipywidgets
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib import image
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output
from widgets import controls, make_case

from ivdlib.course import viewer
from ivdlib.report import notebook as lesson

LIVE = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(
    params=(
        *("volume", "slices", "mixer", "field", "drawing"),
        pytest.param("playground", marks=pytest.mark.slow),
        pytest.param("saliency", marks=pytest.mark.slow),
    )
)
def shown(request):
    """Each widget, the volume viewer with and without what is optional."""
    if request.param == "slices":
        request.getfixturevalue("no_graphics_card")
    if request.param == "volume":
        pytest.importorskip("ipyniivue")
    if request.param == "field":
        return viewer.receptive_field()
    if request.param in ("playground", "saliency"):
        make = {"playground": viewer.network_playground, "saliency": viewer.saliency}
        return make[request.param](request.getfixturevalue("scan"))
    case = make_case()
    if request.param == "mixer":
        return viewer.fusion_mixer(case)
    show = viewer.draw_disc if request.param == "drawing" else viewer.volume
    return show(case, np.roll(case.discs, 1, axis=1))


def move(control) -> None:
    if isinstance(control, ipywidgets.Button):
        control.click()
    elif isinstance(control, ipywidgets.Checkbox):
        control.value = not control.value
    elif isinstance(control, ipywidgets.ToggleButtons):
        control.index += 1
    else:
        control.value += control.step if control.value < control.max else -control.step


def drawn(figure: Figure) -> int:
    """A number that stands for what a figure draws beside its words."""
    pictures = [picture for axes in figure.axes for picture in axes.images]
    return hash(tuple(np.ma.filled(p.get_array(), -1).tobytes() for p in pictures))


def test_bundle_holds_the_picture_with_its_text_beside_the_widget(shown):
    data, metadata = shown._repr_mimebundle_()
    assert data[LIVE]["model_id"] == shown.widget.model_id
    assert data["text/plain"] == metadata["image/png"]["alt"] == shown.alt
    assert len(shown.alt) > 60
    picture = image.imread(io.BytesIO(base64.b64decode(data["image/png"])))
    assert min(picture.shape[:2]) > 200 and np.ptp(picture[:, :, :3]) > 0.5


def test_page_made_without_widget_state_shows_the_picture(shown):
    data, metadata = shown._repr_mimebundle_()
    output = new_output("display_data", data=data, metadata=metadata)
    notebook = new_notebook(cells=[new_code_cell("viewer", outputs=[output])])
    nbformat.validate(notebook)
    page = BeautifulSoup(lesson.body(notebook, "06_x", bool)["html"], "html.parser")
    assert [tag["alt"] for tag in page.find_all("img")] == [shown.alt]
    assert page.find("script") is None


@pytest.mark.parametrize("shown", ("volume", "slices", "mixer", "field"), indirect=True)
def test_every_control_has_a_description_and_changes_picture_and_text(shown):
    every = controls(shown)
    assert len(every) >= 4 and all(every)
    for description, control in every.items():
        if getattr(control, "disabled", False):
            continue
        picture, text = drawn(shown.figure()), shown.alt
        if description == "stack to change":  # changes what the sliders stand for
            move(control)
            assert controls(shown)["rate of convolution 1"].value == 2
            continue
        move(control)
        assert drawn(shown.figure()) != picture, description
        assert shown.alt != text, description
        if description == "lesion":  # what has no disc left does not change with the threshold
            control.index = 0


def test_no_figure_is_made_when_a_control_moves(shown, monkeypatch):
    """A figure takes longer than a slider can wait."""

    def refuse(*_, **__):
        raise AssertionError("a new figure")

    monkeypatch.setattr(Figure, "__init__", refuse)
    for control in controls(shown).values():
        move(control)


def test_widgets_are_there_without_a_framework():
    """Only `saliency` and `receptive_field` start one, when they are made."""
    asked = "import sys; import ivdlib.course.viewer; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked]).returncode == 0
