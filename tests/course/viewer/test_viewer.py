import base64
import importlib.util
import io

import ipywidgets
import nbformat
import nibabel as nib
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib import image
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ivdlib.course import viewer
from ivdlib.data.case import Case
from ivdlib.data.contrasts import FUSED
from ivdlib.errors import ConfigError, DataError
from ivdlib.preprocessing import fusion
from ivdlib.report import notebook as lesson
from ivdlib.report.plotting import ORANGE, SKY, VERMILION

LIVE = "application/vnd.jupyter.widget-view+json"
SHAPE = (5, 16, 20)
AFFINE = np.array([[4, 0, 0, -8], [0, 2.5, 0, 10], [0, 0, 2, -20], [0, 0, 0, 1.0]])


def make_case(names=("wat", "fat", "inn", "opp"), labels=True) -> Case:
    rng = np.random.default_rng(0)
    contrasts = {name: rng.integers(0, 500, SHAPE).astype(np.float32) for name in names}
    disc = np.zeros(SHAPE, np.uint8)
    disc[1:, 4:11, 6:13] = 1
    disc[3, 4:11, 14:16] = 1  # most disc in slice 3
    return Case("07", "a", contrasts, AFFINE, labels=disc if labels else None)


@pytest.fixture
def no_graphics_card(monkeypatch):
    """As if ipyniivue were not installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "ivdlib.course.viewer.planes.find_spec", lambda n: None if n == "ipyniivue" else found(n)
    )


@pytest.fixture(params=("volume", "slices", "mixer", "field"))
def shown(request):
    """Each widget, the volume viewer with and without ipyniivue."""
    if request.param == "field":
        return viewer.receptive_field()
    if request.param == "mixer":
        return viewer.fusion_mixer(make_case())
    if request.param == "slices":
        request.getfixturevalue("no_graphics_card")
    else:
        pytest.importorskip("ipyniivue")
    case = make_case()
    return viewer.volume(case, np.roll(case.discs, 1, axis=1))


def controls(shown) -> dict[str, ipywidgets.Widget]:
    """What can be moved or pressed, by its description."""
    found, todo = {}, [shown.widget.children[0]]
    while todo:
        for child in todo.pop().children:
            if isinstance(child, ipywidgets.Box):
                todo.append(child)
            else:
                found[child.description] = child
    return found


def move(control) -> None:
    if isinstance(control, ipywidgets.Button):
        control.click()
    elif isinstance(control, ipywidgets.Checkbox):
        control.value = not control.value
    elif isinstance(control, ipywidgets.ToggleButtons):
        control.index += 1
    else:
        control.value += control.step if control.value < control.max else -control.step


def pixels(shown) -> np.ndarray:
    """Picture on the screen that is drawn in Python."""
    tag = BeautifulSoup(shown.widget.children[1].value, "html.parser").img
    assert tag["alt"] == shown.alt
    data = base64.b64decode(tag["src"].partition(",")[2])
    return np.round(255 * image.imread(io.BytesIO(data))[:, :, :3]).astype(np.uint8)


def said(shown) -> str:
    """Words below the picture."""
    return BeautifulSoup(shown.widget.children[2].value, "html.parser").get_text()


def drawn(figure: Figure) -> int:
    """A number that stands for what a figure draws beside its words."""
    pictures = [picture for axes in figure.axes for picture in axes.images]
    return hash(tuple(np.ma.filled(p.get_array(), -1).tobytes() for p in pictures))


# --- all of them ---------------------------------------------------------------------------


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


def test_every_control_has_a_description_and_changes_picture_and_text(shown):
    every = controls(shown)
    assert len(every) >= 6 and all(every)
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


def test_no_figure_is_made_when_a_control_moves(shown, monkeypatch):
    """A figure takes longer than a slider can wait."""

    def refuse(*_, **__):
        raise AssertionError("a new figure")

    monkeypatch.setattr(Figure, "__init__", refuse)
    for control in controls(shown).values():
        move(control)


# --- volume --------------------------------------------------------------------------------


def panel_columns(case) -> tuple[int, int, int]:
    """First column of each plane: 400 pixels for the largest edge, 40 mm; gaps of 12 pixels."""
    sagittal, coronal = 400, round(SHAPE[0] * case.spacing[0] * 10)
    return 0, sagittal + 12, sagittal + 12 + coronal + 12


def test_planes_are_upright_and_in_proportion(no_graphics_card):
    case = make_case(("wat",), labels=False)
    case.contrasts["wat"][:] = np.linspace(0, 10, case.contrasts["wat"].size).reshape(SHAPE)
    case.contrasts["wat"][2, 12:, 15:] = 1000  # anterior and superior
    shown = viewer.volume(case)
    picture = pixels(shown)
    assert picture.shape == (400, 400 + 200 + 200 + 2 * 12, 3)
    sagittal, coronal, axial = panel_columns(case)
    assert picture[50, sagittal + 50].min() == 255 and picture[50, sagittal + 350].max() < 20
    assert picture[350, sagittal + 50].max() < 20
    controls(shown)["posterior–anterior"].value = 13
    controls(shown)["inferior–superior"].value = 17
    controls(shown)["left–right"].value = 0  # else the cross lies on the bright voxels
    picture = pixels(shown)
    for column in (coronal, axial):
        assert picture[30, column + 105].min() == 255  # slice 2 of 5 is in the middle
        assert picture[30, column + 60].max() < 20
        assert picture[350, column + 105].max() < 20


def test_planes_go_through_the_voxel_of_the_sliders(no_graphics_card):
    case = make_case(("wat",), labels=False)
    shown = viewer.volume(case)
    before = pixels(shown)
    case_voxel = {"left–right": 1, "posterior–anterior": 3, "inferior–superior": 17}
    for axis, value in case_voxel.items():
        controls(shown)[axis].value = value
    assert "(1, 3, 17)" in shown.alt and "(1, 3, 17)" in said(shown)
    picture = pixels(shown)
    line = np.round(255 * np.array(to_rgb(VERMILION)))
    towards_line = np.abs(picture.astype(int) - line).sum(axis=2)
    assert towards_line[:, round(400 * (1 - 3.5 / 16))].mean() < towards_line.mean() - 100
    assert towards_line[round(400 * (1 - 17.5 / 20)), :400].mean() < towards_line.mean() - 100
    assert (before != picture).any()


def test_first_slice_is_the_one_with_most_disc(no_graphics_card):
    assert controls(viewer.volume(make_case()))["left–right"].value == 3
    assert controls(viewer.volume(make_case(labels=False)))["left–right"].value == 2


def test_overlays_are_outlined_in_their_colours_and_switched(no_graphics_card):
    case = make_case()
    shown = viewer.volume(case, case.discs)
    orange, sky = (np.round(255 * np.array(to_rgb(c))).astype(int) for c in (ORANGE, SKY))

    def count(colour):
        return int((np.abs(pixels(shown).astype(int) - colour).max(axis=2) <= 1).sum())

    assert min(count(orange), count(sky)) > 300  # orange between the dashes
    controls(shown)["disc labels (orange)"].value = False
    dashes = count(sky)
    assert count(orange) == 0
    assert "orange" not in said(shown) and "prediction (blue)" in said(shown)
    controls(shown)["prediction (blue)"].value = False
    assert count(sky) == 0 and "with" not in said(shown)
    controls(shown)["disc labels (orange)"].value = True
    assert 0.4 < dashes / count(orange) < 0.6


def test_only_overlays_that_there_are_have_a_switch(no_graphics_card):
    names = set(controls(viewer.volume(make_case(labels=False))))
    assert names == {"contrast", "left–right", "posterior–anterior", "inferior–superior"}


def test_contrasts_can_be_chosen_and_are_stretched_over_the_scan(no_graphics_card):
    case = make_case()
    shown = viewer.volume(case, contrasts=["opp", "fat"])
    assert list(controls(shown)["contrast"].options) == ["opp", "fat"]
    first = pixels(shown)
    case.contrasts["opp"] *= 3  # another scale, the same picture
    assert np.array_equal(first, pixels(viewer.volume(case, contrasts=["opp"])))
    controls(shown)["contrast"].value = "fat"
    assert not np.array_equal(first, pixels(shown))


def test_without_ipyniivue_it_says_how_to_install_it(no_graphics_card):
    assert "pip install 'ivdlib[viewer]'" in said(viewer.volume(make_case()))


def test_graphics_card_gets_the_scan_itself_and_no_address():
    pytest.importorskip("ipyniivue")
    case = make_case()
    shown = viewer.volume(case, np.roll(case.discs, 4, axis=1))
    assert "pip" not in said(shown)
    scan, labels, prediction = shown.widget.children[1].volumes
    assert [v.url for v in (scan, labels, prediction)] == [None] * 3
    files = [nib.Nifti1Image.from_bytes(v.data) for v in (scan, labels, prediction)]
    for file in files:
        assert np.allclose(file.affine, AFFINE)
    frames = np.asarray(files[0].dataobj)
    for number, original in enumerate(case.contrasts.values()):
        assert np.corrcoef(frames[..., number].ravel(), original.ravel())[0, 1] > 0.99
    masks = [np.asarray(file.dataobj) for file in files[1:]]
    assert np.array_equal(masks[0][..., 1], case.discs)
    assert np.array_equal(masks[1][..., 1], np.roll(case.discs, 4, axis=1))
    assert not masks[0][..., 0].any() and not masks[1][..., 0].any()


def test_graphics_card_follows_the_controls_and_they_follow_a_click():
    pytest.importorskip("ipyniivue")
    case = make_case()
    shown = viewer.volume(case, case.discs)
    screen, control = shown.widget.children[1], controls(shown)
    scan, labels, prediction = screen.volumes
    control["contrast"].value = "inn"
    control["disc labels (orange)"].value = False
    control["left–right"].value = 1
    assert (scan.frame_4d, labels.frame_4d, prediction.frame_4d) == (2, 0, 1)
    assert np.allclose(screen.scene.crosshair_pos, [1.5 / 5, 8.5 / 16, 10.5 / 20])
    place = list(screen.scene.crosshair_pos)
    screen._handle_custom_msg(
        {
            "event": "location_change",
            "data": {"ax_cor_sag": 0, "frac": [0.5] * 3, "mm": [0.0] * 3, "vox": [4, 2, 7],
                     "values": [], "string": "", "xy": [0, 0]},
        },
        [],
    )  # fmt: skip
    assert [control[axis].value for axis in list(control)[1:4]] == [4, 2, 7]
    assert "(4, 2, 7)" in shown.alt
    assert list(screen.scene.crosshair_pos) == place  # the page knows; an answer would lag behind


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"contrasts": ["t2"]}, ConfigError, "no contrast 't2'; there are wat, fat, inn, opp"),
        ({"contrasts": []}, DataError, "no contrasts"),
        ({"prediction": np.zeros((5, 16, 21), bool)}, DataError, r"\(5, 16, 21\)"),
        ({"prediction": np.full(SHAPE, 0.5)}, DataError, "other values than 0 and 1"),
    ],
)
def test_volume_refuses(given, error, sentence):
    with pytest.raises(error, match=sentence):
        viewer.volume(make_case(), **given)


@pytest.mark.parametrize("widget", [viewer.volume, viewer.fusion_mixer])
def test_case_without_contrasts_is_refused(widget):
    with pytest.raises(DataError, match="case 07 has no contrasts"):
        widget(make_case(()))


# --- fusion mixer --------------------------------------------------------------------------


def test_mixer_shows_what_fusion_makes():
    case = make_case()
    shown = viewer.fusion_mixer(case)
    control = controls(shown)

    def check(pair):
        plane = fusion.fuse(case, [pair])[pair][control["sagittal slice"].value]
        wanted = np.round(255 * plane[::-1, ::-1].T)  # anterior left, superior up
        picture = pixels(shown)
        assert picture.shape == (400, 400, 3)
        assert np.array_equal(picture[10::20, 12::25, 0], wanted)

    check("wat+opp")
    control["water"].value = -0.35
    control["fat"].value = 1.5
    check("-0.35*wat+1.5*fat+1*opp")
    assert "−0.35 × water + 1.5 × fat + 1 × opposed phase" in said(shown)
    control["fat"].value = -0.5
    assert "−0.35 × water − 0.5 × fat + 1 × opposed phase" in said(shown)
    control["sagittal slice"].value = 0
    check("-0.35*wat+-0.5*fat+1*opp")
    assert "slice 0 of case 07" in shown.alt


def test_mixer_has_buttons_for_the_fused_contrasts_of_the_paper():
    shown = viewer.fusion_mixer(make_case())
    control = controls(shown)
    assert set(FUSED) < set(control)
    control["inn+opp"].click()
    weights = [control[n].value for n in ("water", "fat", "in phase", "opposed phase")]
    assert weights == [0, 0, 1, 1]
    assert "= 1 × in phase + 1 × opposed phase," in said(shown)


def test_mixer_takes_what_there_is():
    control = controls(viewer.fusion_mixer(make_case(("t2", "fat", "opp"))))
    assert list(control) == ["t2", "fat", "opposed phase", "sagittal slice", "fat+opp"]
    assert [control[n].value for n in ("t2", "fat", "opposed phase")] == [0, 1, 1]
    lonely = controls(viewer.fusion_mixer(make_case(("t2",))))
    assert lonely["t2"].value == 1 and not set(FUSED) & set(lonely)


def test_mixer_says_why_there_is_no_picture():
    shown = viewer.fusion_mixer(make_case())
    for name in ("water", "opposed phase"):
        controls(shown)[name].value = 0
    assert "constant" in said(shown) and pixels(shown).max() == 0
    shown.figure()
    controls(shown)["fat"].value = 0.5
    assert "constant" not in said(shown) and pixels(shown).max() == 255


# --- receptive field -----------------------------------------------------------------------


def test_field_draws_each_stack_to_one_scale_with_its_holes():
    shown = viewer.receptive_field([(1, 1), (2, 2)])
    picture = pixels(shown)
    cell = 250 // 11  # reach 4, and one pixel around
    side = 11 * cell
    assert picture.shape == (side, 2 * side + 12, 3)
    middles = slice(cell // 2, None, cell)
    for number, seen in enumerate((25, 25)):
        panel = picture[:, number * (side + 12) :][:, :side][middles, middles]
        assert panel.shape[:2] == (11, 11)
        assert (panel.min(axis=2) < 255).sum() == seen
        assert np.allclose(panel[5, 5], 255 * np.array(to_rgb(ORANGE)), atol=1)
    assert (picture[:, side + 12 :][middles, middles][5, [1, 2, 3]].min(axis=1) < 255).tolist() == [
        True, False, True,
    ]  # fmt: skip


def test_field_says_size_and_holes():
    shown = viewer.receptive_field()
    words = said(shown)
    assert "Rates 1, 1, 1: a field of 7 × 7 pixels without holes." in words
    assert "Rates 2, 2, 2: a field of 13 × 13 pixels; 120 of its 169 pixels are holes" in words
    assert "Rates 1, 2, 3: a field of 13 × 13 pixels without holes." in words
    titles = [axes.get_title() for axes in shown.figure().axes]
    assert titles[1] == "rates 2, 2, 2\n13 × 13 pixels, 71 % holes"


def test_field_sliders_change_the_stack_chosen_and_no_other():
    shown = viewer.receptive_field([(1, 1, 1), (1, 2)])
    control = controls(shown)
    control["stack to change"].value = 1
    rates = [control[f"rate of convolution {k}"] for k in (1, 2, 3, 4)]
    assert control["convolutions"].value == 2
    assert [slider.disabled for slider in rates] == [False, False, True, True]
    control["convolutions"].value = 3
    rates[2].value = 5
    assert not rates[2].disabled
    assert "Rates 1, 1, 1:" in said(shown) and "Rates 1, 2, 5:" in said(shown)
    control["stack to change"].value = 0
    assert [slider.value for slider in rates[:3]] == [1, 1, 1]
    assert "Rates 1, 1, 1:" in said(shown) and "Rates 1, 2, 5:" in said(shown)


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ([(1, 0)], "rate 0 is no whole number from 1"),
        ([(1.5,)], "rate 1.5"),
        ([(10,)], "rate 10"),
        ([], "0 stacks"),
        ([()], "stack of 0 convolutions"),
        ([(1,) * 5], "stack of 5 convolutions"),
        ([(1,)] * 5, "5 stacks"),
    ],
)
def test_field_refuses(rates, sentence):
    with pytest.raises(ConfigError, match=sentence):
        viewer.receptive_field(rates)
