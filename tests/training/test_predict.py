"""Networks on files: masks on the scan's own grid, whatever its axes; clear refusals."""

import gc
import shutil
import subprocess
import sys
import time
import tracemalloc
import warnings
from pathlib import Path

import dixon_cases
import nibabel as nib
import numpy as np
import pytest
from predicting import names_in, predict, with_passport

from ivdlib import cli
from ivdlib.data.case import Case
from ivdlib.data.cases import check_cases, load_case
from ivdlib.errors import ConfigError, DataError, DataWarning, NothingFound, SomeFailed
from ivdlib.training import engines, inference, one_scan, spine_of_scan
from ivdlib.training import predict as application
from ivdlib.training.weights import load_model

pytestmark = pytest.mark.usefixtures("any_mask_will_do")


# All 48 axis orders are tested with `save_mask`; here a few go through the networks.
@pytest.mark.parametrize(
    "oblique_affine",
    [((0, 1, 2), (1, 1, 1)), ((0, 1, 2), (-1, -1, 1)), ((2, 0, 1), (1, -1, -1))],
    indirect=True,
    ids=["RAS", "LPS", "SLP"],
)
def test_mask_lies_on_the_file(tmp_path, write_case, oblique_affine, tiny_experiment):
    write_case(tmp_path / "in", "01", affine=oblique_affine)
    (tmp_path / "in" / "01" / "01_Labels.nii.gz").unlink()
    weights = tiny_experiment / "disc" / "model.weights.h5"
    (path,) = application.predict_folder(tmp_path / "in", weights, tmp_path / "out")
    mask, scan = nib.load(path), nib.load(tmp_path / "in" / "01" / "01_wat.nii.gz")
    assert mask.shape == scan.shape
    np.testing.assert_allclose(mask.affine, scan.affine, atol=1e-5)
    case = load_case(tmp_path / "in" / "01")
    network, spine = (
        load_model(tiny_experiment / n / "model.weights.h5") for n in ("disc", "spine")
    )
    expected = one_scan.predict_case(network, case, spine=spine)
    assert np.count_nonzero(mask.get_fdata()) == np.count_nonzero(expected)


def test_refusals(tmp_path, write_case, tiny_experiment):
    write_case(tmp_path / "in", "01")
    disc, spine = (tiny_experiment / n / "model.weights.h5" for n in ("disc", "spine"))
    with pytest.raises(ConfigError, match="spine"):
        list(application.predict_folder(tmp_path / "in", spine, tmp_path / "out"))
    with pytest.raises(ConfigError, match="not a network for the spine"):
        list(application.predict_folder(tmp_path / "in", disc, tmp_path / "o", spine_weights=disc))
    alone = tmp_path / "alone.weights.h5"
    alone.write_bytes(disc.read_bytes())
    with pytest.raises(DataError, match="--spine-weights"):
        list(application.predict_folder(tmp_path / "in", alone, tmp_path / "out"))
    masks = application.predict_folder(tmp_path / "in", alone, tmp_path / "out", use_region=False)
    assert len(list(masks)) == 1


def test_prediction_asks_for_nothing_that_it_does_not_need(tmp_path, write_case, tiny_experiment):
    """Odd labels do not matter, nor does a contrast that was not asked for."""
    folder = write_case(tmp_path / "in", "01", change={"Labels": lambda a: a * np.uint8(9)})
    weights = tiny_experiment / "disc" / "model.weights.h5"
    assert list(application.predict_folder(tmp_path / "in", weights, tmp_path / "out"))
    for name in ("fat", "inn"):
        (folder / f"01_{name}.nii.gz").unlink()
    told = "01: it has no fat and inn, which cannot be derived; the mask comes from wat and opp"
    with pytest.warns(DataWarning, match=told):
        assert list(application.predict_folder(tmp_path / "in", weights, tmp_path / "out"))
    for one in ("wat", "wat+opp"):
        assert list(
            application.predict_folder(tmp_path / "in", weights, tmp_path / "out", contrast=one)
        )
    with pytest.raises(ConfigError, match="a single file, which is one contrast, not wat.opp"):
        list(application.predict_folder(
            folder / "01_wat.nii.gz", weights, tmp_path / "out", contrast="wat+opp"
        ))  # fmt: skip


def test_predict_then_score_folders(tmp_path, write_case, tiny_experiment, capsys):
    for name in ("01", "02"):
        write_case(tmp_path / "in", name)
    weights = tiny_experiment / "disc" / "model.weights.h5"
    arguments = ["predict", tmp_path / "in", "--weights", weights, "--out", tmp_path / "out"]
    assert cli.main([str(a) for a in arguments]) == 0
    assert cli.main(["score", str(tmp_path / "out"), str(tmp_path / "in")]) == 0
    assert "mean over 2 scans\n  Dice per scan" in capsys.readouterr().out


def write_t2(folder, name):
    """A case of one contrast that is none of Dixon."""
    place = folder / name
    place.mkdir(parents=True)
    volumes = dixon_cases.make_volumes(name, (6, 24, 28))
    for word, array in (("T2", volumes["wat"]), ("Labels", volumes["Labels"])):
        image = nib.Nifti1Image(array, dixon_cases.AFFINE)
        nib.save(image, place / f"{name}_{word}.nii.gz")
    return place / f"{name}_T2.nii.gz"


def test_images_that_the_network_never_saw_are_refused(tmp_path, tiny_experiment, capsys):
    file, other = (write_t2(tmp_path / "in", name) for name in ("01", "02"))
    weights = tiny_experiment / "disc" / "model.weights.h5"
    plain = tmp_path / "scan.nii.gz"  # a name that says nothing
    plain.write_bytes(file.read_bytes())
    for source, word in ((tmp_path / "in", "t2"), (other, "t2"), (plain, "image")):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert predict(source, "--weights", weights, "--out", tmp_path / "out") == 1
        said = capsys.readouterr().err + "".join(str(one.message) for one in told)
        assert f"has the contrasts {word}, but the network was trained on wat, fat" in said
        assert "--contrast" in said and not (tmp_path / "out").exists()


def test_they_are_taken_if_asked_for_and_that_is_said(tmp_path, tiny_experiment):
    weights = tiny_experiment / "disc" / "model.weights.h5"
    file = write_t2(tmp_path / "in", "01")
    for source in (tmp_path / "in", file):
        with pytest.warns(DataWarning, match="t2 is taken as it was asked for, but the network"):
            masks = list(application.predict_folder(source, weights, tmp_path, contrast="t2"))
        assert [path.name for path in masks] == ["01_Discs.nii.gz"]


def test_nothing_is_written_if_one_scan_of_many_has_other_images(
    tmp_path, tiny_experiment, write_case
):
    weights = tiny_experiment / "disc" / "model.weights.h5"
    network = load_model(weights)
    network.passport["images"] = ["wat&opp"]
    case = load_case(write_case(tmp_path / "in", "01"))
    with pytest.raises(ConfigError, match="trained on wat&opp, and fat was asked for") as refused:
        one_scan.predict_case(network, case, contrast="fat")
    assert "--contrast" not in str(refused.value)  # channels come together or not at all


def test_a_file_that_is_taken_for_what_its_name_does_not_say(tmp_path, tiny_experiment, write_case):
    weights = tiny_experiment / "disc" / "model.weights.h5"
    for file in (
        write_case(tmp_path / "in", "01") / "01_fat.nii.gz",
        write_t2(tmp_path / "other", "01"),
    ):
        with pytest.warns(DataWarning, match="is taken as wat, as was asked for, though its name"):
            list(application.predict_folder(file, weights, tmp_path, contrast="wat"))


def test_who_was_scanned_does_not_matter_here(tmp_path, tiny_experiment, write_case):
    for name in ("P01_pre", "P01_post"):
        write_case(tmp_path / "in", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        weights = tiny_experiment / "disc" / "model.weights.h5"
        assert list(application.predict_folder(tmp_path / "in", weights, tmp_path / "out"))


def test_an_empty_mask_is_said_with_a_status(tmp_path, silent, write_case, capsys):
    for name in ("01", "02"):
        write_case(tmp_path / "in", name)
    weights = silent / "disc" / "model.weights.h5"
    call = (tmp_path / "in", "--weights", weights, "--out", tmp_path / "out", "--no-region")
    with pytest.warns(NothingFound) as told:
        assert predict(*call) == 3
    written = [line[-15:] for line in capsys.readouterr().out.split()]
    assert written == ["01_Discs.nii.gz", "02_Discs.nii.gz"]
    said = [str(w.message) for w in told if w.category is NothingFound]
    assert len(said) == 2
    for name, text in zip(("01", "02"), said, strict=True):
        assert text.startswith(f"case {name}: no disc was found, the mask is empty")
    assert not nib.load(tmp_path / "out" / "01_Discs.nii.gz").get_fdata().any()


def test_the_spine_network_sees_only_what_it_was_trained_on(
    tmp_path, silent, write_case, monkeypatch
):
    seen = []

    def look(model, contrasts, *_):
        seen.append(list(contrasts))
        return np.ones((6, 24, 28), bool)

    monkeypatch.setattr(inference, "predict_spine", look)
    disc, spine = (load_model(silent / n / "model.weights.h5") for n in ("disc", "spine"))
    case = load_case(write_case(tmp_path / "in", "01"))
    for contrast in (None, "opp"):
        with pytest.warns(DataWarning):
            one_scan.predict_case(disc, case, spine=spine, contrast=contrast)
    case.contrasts.pop("wat"), case.contrasts.pop("fat")
    with pytest.warns(DataWarning):
        one_scan.predict_case(disc, case, spine=spine, contrast="opp")
    assert seen == [["wat", "fat"], ["wat", "fat"], ["inn", "opp"]]


BROKEN = {
    "cut": (lambda p: (p / "02_fat.nii.gz").write_bytes(b"\x1f\x8bx"), "02_fat.nii.gz is trunc"),
    "another grid": (
        lambda p: dixon_cases.write_case(p.parent, "02", affines={"fat": np.eye(4)}), "case 02: con"
    ),
    "labels alone": (
        lambda p: [(p / f"02_{w}.nii.gz").unlink() for w in dixon_cases.CONTRASTS], "has no image"
    ),
    "another kind": (
        lambda p: (shutil.rmtree(p), write_t2(p.parent, "02")), "has the contrasts t2"
    ),
    "a file twice": (
        lambda p: shutil.copy(p / "02_wat.nii.gz", p / "02_wat.nii"), "02: wat is there 2 times"
    ),
    "a case twice": (lambda p: shutil.copytree(p, p.parent / "again" / "02"), "wat is there 2 t"),
    "leads nowhere": (
        lambda p: ((p / "02_fat.nii.gz").unlink(), (p / "02_fat.nii.gz").symlink_to("x.nii.gz")),
        "leads nowhere",
    ),
}  # fmt: skip
BOTH = ["01_Discs.json", "01_Discs.nii.gz", "03_Discs.json", "03_Discs.nii.gz"]


@pytest.mark.parametrize("fault", BROKEN)
def test_a_scan_that_cannot_be_used_is_named_and_the_others_are_done(
    three, call, tmp_path, fault, capsys
):
    make, told = BROKEN[fault]
    make(three / "02")
    with pytest.warns(DataWarning, match=f"left out: .*{told}") as seen:
        assert predict(three, *call) == 1
    assert names_in(tmp_path / "out") == BOTH
    assert "1 of 3 scans could not be segmented (02)" in capsys.readouterr().err
    assert sum("left out" in str(one.message) for one in seen) == 1
    shutil.rmtree(three / "02")  # mended, in a way
    shutil.rmtree(three / "again", ignore_errors=True)
    assert predict(three, *call) == 0
    assert "2 masks were there already" in capsys.readouterr().err


@pytest.mark.parametrize("bare", [False, True])
def test_folders_whose_names_differ_in_capitals_are_one_scan(
    three, call, tmp_path, write_case, bare, capsys
):
    for name in ("AB", "ab"):
        write_case(three, name)
        for path in (three / name).iterdir() if bare else ():
            path.rename(path.with_name(path.name.removeprefix(f"{name}_")))
    told = "left out: case AB: the folders AB and ab differ only in capitals, so .*; give two scans"
    with pytest.warns(DataWarning, match=told):
        assert predict(three, *call) == 1
    assert len(names_in(tmp_path / "out")) == 6
    assert "1 of 4 scans could not be segmented (AB)" in capsys.readouterr().err
    (row,) = (row for row in check_cases(three) if row["errors"])
    assert row["case"] == "AB" and "differ only in capitals" in row["errors"][0]


def test_a_file_that_came_twice_later_is_told_though_there_is_a_mask(three, call, tmp_path):
    assert predict(three, *call) == 0
    shutil.copy(three / "02" / "02_wat.nii.gz", three / "02" / "02_wat.nii")
    with pytest.warns(DataWarning, match="left out: case 02: wat is there 2 times"):
        assert predict(three, *call) == 1


def test_a_scan_that_memory_cannot_hold_is_one_scan(three, call, tmp_path, monkeypatch):
    plain, calls = inference.predict_images, []

    def predict_images(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise MemoryError
        return plain(*arguments)

    monkeypatch.setattr(inference, "predict_images", predict_images)
    with pytest.warns(DataWarning, match="left out: case 02: it does not fit into memory; close"):
        assert predict(three, *call, "--no-region") == 1
    assert names_in(tmp_path / "out") == BOTH


def test_what_is_at_fault_as_a_whole_refuses_at_once(three, call, tmp_path, capsys):
    (three / "dataset.json").write_text("[]")
    assert predict(three, *call) == 1
    assert "dataset.json must hold one JSON object" in capsys.readouterr().err
    (three / "dataset.json").unlink()
    (tmp_path / "out").write_text("a file")
    assert predict(three, *call) == 1
    assert "out" in (said := capsys.readouterr().err) and "left out" not in said


def test_who_is_in_the_table_does_not_matter(three, call, tmp_path):
    (three / "subjects.csv").write_text("case,subject\n01,A\n")
    assert predict(three, *call) == 0
    assert len(names_in(tmp_path / "out")) == 6


def test_the_first_mask_is_there_before_the_second_scan_is_read(three, tiny_experiment, tmp_path):
    weights = tiny_experiment / "disc" / "model.weights.h5"
    masks = application.predict_folder(three, weights, tmp_path / "out")
    assert next(masks).is_file()
    for path in (three / "02").iterdir():
        path.write_bytes(b"no scan any more")
    with pytest.warns(DataWarning, match="left out"), pytest.raises(SomeFailed) as refused:
        list(masks)
    assert [path.name for path in refused.value.done] == ["01_Discs.nii.gz", "03_Discs.nii.gz"]
    assert list(refused.value.failures) == ["02"]


def test_no_scan_is_kept_in_memory(tmp_path, tiny_experiment, write_case):
    weights = tiny_experiment / "disc" / "model.weights.h5"
    for number in range(8):
        write_case(tmp_path / "in", f"P{number}", shape=(12, 64, 64))
    most = []
    tracemalloc.start()
    for _ in application.predict_folder(tmp_path / "in", weights, tmp_path / "out"):
        gc.collect()
        most.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    scan = 4 * 4 * 12 * 64 * 64  # bytes: four contrasts of float32
    assert most[-1] - most[1] < scan


def test_a_remark_about_many_scans_is_made_twice(tmp_path, call, write_case):
    for number in range(4):
        write_case(tmp_path / "in", f"P{number}", missing=("opp",))
    with pytest.warns(DataWarning) as told:
        assert predict(tmp_path / "in", *call) == 0
    texts = [str(one.message) for one in told if "opp has no file" in str(one.message)]
    assert [text.split(":")[0] for text in texts] == ["case P0", "3 cases (P1, P2, P3), too"]


def test_what_was_warned_of_is_said_again(tmp_path, silent, write_case):
    for name in ("01", "02"):
        write_case(tmp_path / "in", name, missing=("opp",))
    weights = silent / "disc" / "model.weights.h5"
    run = (tmp_path / "in", "--weights", weights, "--out", tmp_path / "out", "--no-region")
    told = []
    for _ in range(2):
        with pytest.warns(NothingFound) as seen:
            assert predict(*run) == 3
        about = [one for one in seen if "case" in str(one.message)[:7]]
        told.append([(one.category, str(one.message)) for one in about])
    assert told[0] == told[1] and len(told[0]) == 4


def test_a_failure_counts_more_than_nothing_found(tmp_path, silent, write_case):
    for name in ("01", "02"):
        write_case(tmp_path / "in", name, truncated="fat" if name == "02" else "")
    weights = silent / "disc" / "model.weights.h5"
    with pytest.warns(NothingFound):
        assert predict(tmp_path / "in", "--weights", weights, "--out", tmp_path / "out") == 1


def test_ctrl_c_and_the_same_command_again(three, call, tmp_path):
    """A process of its own, killed as soon as its first mask is there."""
    command = [sys.executable, "-m", "ivdlib", "predict", three, *call]
    out = tmp_path / "out"
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    while not list(out.glob("*.json")) and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("[!.]*.gz")}
    again = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert again.returncode == 0 and "there already" in again.stderr
    assert "01_Discs.nii.gz" in before and not (out / "saved").exists()
    assert (out / "01_Discs.nii.gz").stat().st_mtime_ns == before["01_Discs.nii.gz"]
    assert len(list(out.glob("*_Discs.nii.gz"))) == 3
    assert {path.name for path in out.glob("*.html")} == {
        "01.html",
        "02.html",
        "03.html",
        "index.html",
    }


SIZE = [[1.9, 2.05], [1.2, 1.3], [1.2, 1.3]]


def test_scans_of_other_pixels_are_resampled_and_masks_lie_on_their_own_grid(
    tmp_path, write_case, tiny_experiment, any_mask_will_do
):
    weights = with_passport(tiny_experiment, tmp_path, spacing=SIZE)
    for name, factor in (("01", 1), ("02", 0.5), ("03", 1.15), ("04", 1)):
        scale = np.diag([1, factor, factor, 1])
        write_case(tmp_path / "in", name, affine=dixon_cases.AFFINE @ scale)
    with pytest.warns(DataWarning) as told:
        predict(tmp_path / "in", "--weights", weights, "--out", tmp_path / "out")
    texts = [str(w.message) for w in told if "its pixels" in str(w.message)]
    assert [text[:8] for text in texts] == ["case 02:", "case 03:"]
    assert all(" mm are brought to " in text for text in texts)
    for name in ("01", "02", "03", "04"):
        mask = nib.load(tmp_path / "out" / f"{name}_Discs.nii.gz")
        scan = nib.load(tmp_path / "in" / name / f"{name}_wat.nii.gz")
        assert mask.shape == scan.shape
        np.testing.assert_allclose(mask.affine, scan.affine, atol=1e-5)


def test_a_header_that_makes_a_slice_of_metres_is_refused(tiny_experiment):
    network = engines.load_network(tiny_experiment / "disc" / "model.weights.h5")
    network.passport["spacing"] = [[2, 2], [1.25, 1.25], [1.25, 1.25]]
    case = Case("a", "a", {"wat": np.ones((3, 64, 32), np.float32)}, np.diag([2, 90, 1.25, 1.0]))
    with pytest.raises(DataError, match="case a: by its header a slice is 5760 x 40 mm large"):
        one_scan.predict_case(network, case, contrast="wat")


def test_a_network_sees_the_pixels_it_knows(tiny_experiment, monkeypatch):
    """Half the pixels in size, twice as many of them: the same picture, the same answer."""
    network = engines.load_network(tiny_experiment / "disc" / "model.weights.h5")
    network.passport["spacing"] = [[2, 2], [1.25, 1.25], [1.25, 1.25]]
    rng, seen = np.random.default_rng(0), []
    usual = rng.random((3, 24, 32), dtype=np.float32)
    fine = usual.repeat(2, axis=1).repeat(2, axis=2)
    plain = inference.predict_images

    def spied(network, images, region=None):
        seen.append(images["wat"])
        return plain(network, images, region)

    monkeypatch.setattr(inference, "predict_images", spied)
    for image, edge in ((usual, 1.25), (fine, 0.625)):
        case = Case("a", "a", {"wat": image}, np.diag([2, edge, edge, 1.0]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            mask = one_scan.predict_case(network, case, contrast="wat")
        assert mask.shape == image.shape
    assert seen[0].shape == seen[1].shape == (3, 24, 32)
    assert np.corrcoef(seen[0].ravel(), seen[1].ravel())[0, 1] > 0.9


def test_old_weights_are_told_once_and_not_once_a_scan(
    tmp_path, write_case, tiny_experiment, monkeypatch
):
    weights = with_passport(tiny_experiment, tmp_path, spacing=None)
    monkeypatch.chdir(tmp_path)
    for name in ("01", "02", "03"):
        write_case(tmp_path / "in", name)
    file, spine = (f"trainings/{name}/{weights.name}" for name in ("disc", "spine"))
    with pytest.warns(DataWarning) as told:
        assert len(list(application.predict_folder("in", file, "out"))) == 3
    (text,) = (str(w.message) for w in told if "checksum" in str(w.message))
    assert text.startswith(f"{file} and {spine} are of an older version")
    assert len(text.split()) <= 35 and "; train them again" in text
    with pytest.warns(DataWarning, match=f"^{file} is of an older version.*; train it again"):
        list(application.predict_folder("in", file, "o", use_region=False))


def test_what_the_spine_network_saw_counts_only_if_it_is_used(
    tmp_path, write_case, tiny_experiment
):
    weights = with_passport(tiny_experiment, tmp_path, field=[[20.0, 20.0], [20.0, 20.0]])
    write_case(tmp_path / "in", "01")
    with pytest.warns(DataWarning, match="the spine network was trained on slices of up to 20 x"):
        list(application.predict_folder(tmp_path / "in", weights, tmp_path / "out"))
    with pytest.warns(DataWarning, match="the disc network was trained on slices of up to 20 x"):
        list(application.predict_folder(tmp_path / "in", weights, tmp_path / "o", use_region=False))


@pytest.mark.parametrize(("span", "odd"), [([1e-4, 2e-4], True), ([0, 1e3], False)])
def test_a_mask_far_from_the_labels_of_the_training_is_said(
    tmp_path, write_case, tiny_experiment, monkeypatch, span, odd
):
    case = load_case(write_case(tmp_path / "in", "01"))
    network = load_model(with_passport(tiny_experiment, tmp_path, disc_mm=span))
    found = np.zeros(case.shape, np.float32)
    found[:, 5:20, 5:20] = 0.9
    monkeypatch.setattr(inference, "predict_images", lambda *_: {"wat": found})
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        one_scan.predict_case(network, case)
    assert [" ml of disc likely" in str(w.message) for w in seen] == [True] * odd


def test_the_spine_network_is_found_whatever_the_weights_are_called(
    tmp_path, tiny_experiment, monkeypatch
):
    weights = with_passport(tiny_experiment, tmp_path)
    spine = weights.parent.parent / "spine" / "model.weights.h5"
    monkeypatch.chdir(weights.parent)
    network = load_model("model.weights.h5")
    (renamed := weights.with_name("best.h5")).write_bytes(weights.read_bytes())
    (link := tmp_path / "link.weights.h5").symlink_to(weights)
    for path in (Path("model.weights.h5"), renamed, Path("best.h5"), link):
        found, place = spine_of_scan.spine_beside(network, path)
        assert place.samefile(spine) and found.passport["target"] == "spine"


def test_clipping_undoes_one_hot_voxel(tmp_path, tiny_experiment, write_case, capsys, monkeypatch):
    """Half a per cent of a small scan's 4032 voxels is cut off at either end."""
    seen = []

    def predict_images(network, images, region=None):
        seen.append(np.median(np.stack([*images.values()]), axis=(1, 2, 3)))
        return {name: np.ones(image.shape[:3]) for name, image in images.items()}

    def hot(array):
        array[0, 0, 0] = 3 * array.max()
        return array

    monkeypatch.setattr(inference, "predict_images", predict_images)
    write_case(tmp_path / "plain", "01")
    write_case(tmp_path / "hot", "01", change=dict.fromkeys(dixon_cases.CONTRASTS, hot))
    call = ("--weights", tiny_experiment / "disc" / "model.weights.h5", "--no-region", "--out")
    clip = ("--clip", "99.5")
    assert predict(tmp_path / "plain", *call, tmp_path / "a", *clip) == 0
    with pytest.warns(DataWarning, match="1 voxel lies far above all others"):
        assert predict(tmp_path / "hot", *call, tmp_path / "b") == 0
    assert predict(tmp_path / "hot", *call, tmp_path / "b", *clip) == 0  # asked for otherwise
    plain, squeezed, clipped = seen
    assert clipped == pytest.approx(plain, abs=0.02) and (squeezed < 0.5 * plain).all()
    assert predict(tmp_path / "hot", *call, tmp_path / "no", "--clip", "9") == 1
    assert "a percentile above 50 and at most 100, not 9" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
