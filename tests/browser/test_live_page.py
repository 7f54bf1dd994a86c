"""The live page runs the shipped network in Chromium, from disk and without a network."""

import base64
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import scripts
from scipy import ndimage

from ivdlib.data import cases
from ivdlib.training import one_scan, shipped
from ivdlib.training.to_segment import find_scans
from ivdlib.training.weights import load_model

NEAR = 0.001
"""What the issue allows between probabilities here and those of Keras."""

LONGEST = 10.0
"""Seconds for a slice: less than 2 on two idle cores, but tests run side by side."""


@pytest.fixture(scope="module")
def live():
    scripts.installed("onnx")
    return scripts.load("live/live")


@pytest.fixture(scope="module")
def site(live, tmp_path_factory):
    """The page with one person, and the scan's files beside it as a reader would have them."""
    root = tmp_path_factory.mktemp("site")
    try:
        live.engine()
    except OSError as error:
        scripts.need(False, f"the live page has no engine: {error}")
    (title, person), *_ = live.PEOPLE.items()
    patch = pytest.MonkeyPatch()
    patch.setattr(live, "PEOPLE", {title: person})
    made = live._people(root / "people")
    (found,) = [(title, case, files) for title, case, files in made]
    patch.setattr(live, "_people", lambda place: [found])
    assert "The live page is in" in live.write_live(root)
    patch.undo()
    return root, found[1]


@pytest.fixture(scope="module")
def networks():
    names = shipped.USUAL, "spine"
    return [load_model(shipped.FOLDER / name / shipped.WEIGHTS) for name in names]


@pytest.fixture(scope="module")
def opened(browser, site):
    """The page, open and at rest, and all addresses that it asked."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site[0] / "live" / "index.html").as_uri())
    rest(page)
    yield page, asked
    context.close()


def rest(page) -> str:
    """Wait until the answer to the last move is there; gives the sentence."""
    page.wait_for_timeout(300)  # the page waits for the slider to come to rest
    page.wait_for_selector('#pictures[aria-busy="false"]', timeout=120_000)
    return page.inner_text("#result")


def probability(page) -> np.ndarray:
    found = page.evaluate("() => [[...live.state.answer.probability], live.state.scan.shape]")
    return np.reshape(np.float32(found[0]), found[1][1:])


def by_keras(networks, case, contrast):
    disc, spine = networks
    return one_scan.segment_case(disc, case, spine=spine, contrast=contrast, specks=0)


def move(page, **values):
    """Set controls as a mouse would."""
    for name, value in values.items():
        page.locator(f"#{name}").evaluate(
            "(e, v) => { e[typeof v === 'boolean' ? 'checked' : 'value'] = v;"
            " e.dispatchEvent(new Event('input', {bubbles: true})); }",
            value,
        )
    return rest(page)


MIXED = {"weight-wat": 0.3, "weight-fat": 0.9, "weight-opp": 0.45}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moves", "contrast"),
    [({}, "wat"), ({"slice": 2} | MIXED, "0.3*wat+0.9*fat+0.45*opp"),
     ({"slice": 5, "swap": True} | MIXED, "0.3*fat+0.9*wat+0.45*opp")],
)  # fmt: skip
def test_probabilities_are_those_of_keras(opened, site, networks, moves, contrast):
    page, case = opened[0], site[1]
    page.click("#reset")
    rest(page)
    text = move(page, **moves)
    number = int(page.input_value("#slice")) - 1
    found = by_keras(networks, case, contrast)
    ours, theirs = probability(page), found.probability[number]
    assert theirs.max() > 0.9 and np.abs(ours - theirs).max() < NEAR
    mask, truth = found.mask[number], case.discs[number]
    voxel = np.prod(case.spacing) / 1000
    dice = 2 * (mask & truth).sum() / (mask.sum() + truth.sum())
    said = page.evaluate("() => live.state.answer.numbers")
    assert said["found"] == pytest.approx(mask.sum() * voxel, rel=1e-3)
    assert said["truth"] == pytest.approx(truth.sum() * voxel)
    assert said["dice"] == pytest.approx(dice, abs=1e-3)
    assert f"Slice {number + 1} of 5" in text and f"Dice {said['dice']:.3f}" in text
    assert page.evaluate("() => live.state.answer.seconds") < LONGEST


@pytest.fixture(scope="module")
def stranger(site, tmp_path_factory):
    """The water image as another scanner writes it: finer pixels, other axes, scaled numbers."""
    case = site[1]
    fine = ndimage.zoom(case.contrasts["wat"], (1, 1.3, 1.15), order=1)
    affine = case.affine @ np.diag([*np.divide(case.shape, fine.shape), 1])
    turned = nib.orientations.axcodes2ornt("PIR")
    to = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), turned)
    array = nib.orientations.apply_orientation(np.round(fine * 4), to).astype(np.int16)
    image = nib.Nifti1Image(array, affine @ nib.orientations.inv_ornt_aff(to, fine.shape))
    image.header.set_slope_inter(0.25, 10)
    path = tmp_path_factory.mktemp("stranger") / "my own scan.nii.gz"
    nib.save(image, path)
    return path


DROP = """async ([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, dataTransfer: carried}));
}"""


@pytest.mark.slow
def test_a_dropped_scan_gets_the_probabilities_of_keras(opened, networks, stranger):
    page = opened[0]
    page.evaluate(DROP, [stranger.name, base64.b64encode(stranger.read_bytes()).decode()])
    text = rest(page)
    (scan,) = find_scans(stranger, None, True)
    found = by_keras(networks, scan.load(), None)
    number = int(page.input_value("#slice")) - 1
    ours, theirs = probability(page), found.probability[number]
    assert ours.shape == theirs.shape and theirs.max() > 0.9
    assert np.abs(ours - theirs).max() < NEAR
    assert "Dice" not in text and page.is_hidden("#truth-key")
    assert page.input_value("#scan") == "own" and page.is_disabled("#swap")


@pytest.mark.slow
def test_files_of_several_contrasts_with_their_truth_are_one_scan(opened, site, networks):
    page, case = opened[0], site[1]
    truth = site[0] / "x_labels.nii.gz"
    cases.save_mask(case, case.discs, truth)
    paths = [case.sources["wat"], case.sources["opp"], truth]
    page.set_input_files("#file", paths)
    rest(page)
    text = move(page, **{"weight-opp": 1})
    number = int(page.input_value("#slice")) - 1
    two = {name: case.contrasts[name] for name in ("wat", "opp")}
    theirs = by_keras(networks, replace(case, contrasts=two), "1*wat+1*opp").probability[number]
    assert np.abs(probability(page) - theirs).max() < NEAR
    assert "Dice 0." in text


@pytest.mark.slow
def test_what_cannot_be_used_is_told_in_a_sentence(opened, tmp_path, stranger):
    page = opened[0]
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8" * 300)
    noise = nib.Nifti1Image(
        np.random.default_rng(0).normal(size=(3, 120, 160)), np.diag([4, 1.25, 1.25, 1])
    )
    nib.save(noise, tmp_path / "noise.nii.gz")
    other = tmp_path / "another_fat.nii.gz"
    for path in (other, tmp_path / "my_fat.nii.gz"):
        nib.save(noise, path)
    for paths, words in (
        ([tmp_path / "holiday.jpg"], "is not a NIfTI file"),
        ([tmp_path / "noise.nii.gz"], "No spine was found"),
        ([stranger, other], "lies on another grid"),
        ([other, tmp_path / "my_fat.nii.gz"], "another file are both taken for fat"),
    ):
        page.set_input_files("#file", paths)
        assert words in rest(page)
        assert page.get_attribute("#result", "class") == "wrong"
        assert words in page.get_attribute("#picture", "aria-label")
    page.select_option("#scan", "0")  # and all is well again
    assert "the network finds" in rest(page)
    assert page.get_attribute("#result", "class") == ""
    for name in ("wat", "fat", "inn", "opp"):
        move(page, **{f"weight-{name}": 0})
    assert "give one contrast a weight" in page.inner_text("#result")


PICTURES = """() => ["picture", "probability", "bar"]
    .map((id) => document.getElementById(id).toDataURL())"""


@pytest.mark.slow
def test_every_control_is_moved_by_keyboard(opened):
    page = opened[0]
    page.select_option("#scan", "0")
    rest(page)
    page.locator("header a").focus()
    reached = {}
    for _ in range(14):
        page.keyboard.press("Tab")
        name = page.evaluate("() => document.activeElement.id")
        keys = {"weight-wat": "PageDown", "swap": "Space", "noise": "PageUp", "reset": "Enter"}
        if name.startswith(("weight-", "slice", "swap", "noise", "threshold", "reset")):
            before, text = page.evaluate(PICTURES), page.inner_text("#result")
            page.keyboard.press(keys.get(name, "ArrowRight"))
            told = rest(page)
            after = page.evaluate(PICTURES)
            reached[name] = [a != b for a, b in zip(before, after, strict=True)] + [told != text]
    assert {"slice", "swap", "noise", "threshold", "reset"} <= reached.keys()
    assert sum(name.startswith("weight-") for name in reached) == 4
    quiet = {name for name, (picture, *_) in reached.items() if not picture}
    assert quiet <= {"weight-wat"}, reached  # alone, any weight is the same picture
    assert reached["threshold"][2] and reached["noise"][1]


def test_nothing_is_asked_of_anybody(opened):
    """Nor could it be: the page forbids its browser to send anything."""
    page, asked = opened
    assert {url.split(":")[0] for url in asked} <= {"file", "blob", "data"}
    sent = page.evaluate("() => fetch('data:,x').then(() => 'sent', (error) => String(error))")
    assert "Failed to fetch" in sent


@pytest.mark.slow
@pytest.mark.parametrize(("width", "least"), [(1280, 400), (900, 400), (390, 170)])
def test_the_page_fits_its_window(browser, site, tmp_path, width, least):
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto((site[0] / "live" / "index.html").as_uri())
    rest(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.screenshot(path=tmp_path / "live.png", full_page=True)
    assert all(page.locator(f"#{name}").bounding_box()["width"] > least
               for name in ("picture", "probability"))  # fmt: skip
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("script", [False, True])
def test_where_the_network_cannot_run_a_picture_stands(browser, site, script):
    context = browser.new_context(offline=True, java_script_enabled=script)
    page = context.new_page()
    page.add_init_script("delete window.WebAssembly")
    page.goto((site[0] / "live" / "index.html").as_uri())
    if script:
        page.wait_for_selector("#why:has-text('cannot run')", timeout=60_000)
    assert page.is_visible(".still img") and page.is_hidden("#controls")
    assert "Dice" in page.get_attribute(".still img", "alt")
    context.close()
