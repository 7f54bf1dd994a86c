"""One image under several names is found however it was saved; two images are two."""

import itertools
import time

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import CONTRASTS, make_volumes, write_case

from ivdlib.data import cases
from ivdlib.data.nifti import read_image
from ivdlib.data.quality.copies import find_twins, signature
from ivdlib.errors import DataError, LeakageError
from ivdlib.phantom import make_phantom
from ivdlib.preprocessing import folds
from ivdlib.training.experiment import Experiment

TURNS = [
    (order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def apart(a, b):
    """Distance of two images by their signatures; None where they cannot be compared."""
    (shape, first), (other, second) = signature(a), signature(b)
    return None if shape != other else float(np.sqrt(np.mean((first - second) ** 2)))


def turned(array, turn):
    order, signs = turn
    return np.transpose(array, order)[tuple(slice(None, None, s) for s in signs)]


def same(*images):
    signed = {str(n): {"wat": signature(image)} for n, image in enumerate(images)}
    return find_twins(signed, {name: name for name in signed})


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("shape", [(6, 24, 28), (9, 20, 20), (12, 12, 12), (1, 30, 31)])
def test_axes_in_any_order_and_direction(turn, shape):
    image = make_volumes("A1", shape)["opp"]
    assert same(image, turned(image, turn))
    assert not same(make_volumes("B1", shape)["opp"], turned(image, turn))


SAVED = {
    "int16": lambda a: a.astype(np.int16),
    "float64": lambda a: a.astype(np.float64),
    "float16": lambda a: (a / a.max()).astype(np.float16),
    "grey values": lambda a: np.rint((a - a.min()) / np.ptp(a) * 255).astype(np.uint8),
    "scaled": lambda a: (a * 0.003 + 7).astype(np.float32),
    "as large as int16 goes": lambda a: np.rint(a / a.max() * 32767).astype(np.int16),
}


@pytest.mark.parametrize("how", SAVED)
def test_another_number_type_or_scale(how, shared):
    for path in sorted((shared / "data" / "dixon_real").glob("*/*.nii.gz")):
        image = read_image(path).array
        for turn in TURNS[::11]:
            assert same(image, turned(SAVED[how](image), turn)), path.name


def test_no_two_of_the_real_scans_are_one(shared):
    """Two levels of one person are the nearest: 0.27."""
    everywhere = {}
    for name in ("ivdm3seg_crops", "berlin_t2", "munich_wat", "spider_t2_slabs",
                 "spider_t2_slabs_2", "dixon_real"):  # fmt: skip
        for files in cases.find_cases(shared / "data" / name):
            everywhere[f"{name}/{files.name}"] = {
                word: signature(read_image(path).array) for word, path in files.contrasts.items()
            }
    assert len(everywhere) > 100
    assert find_twins(everywhere, {name: name for name in everywhere}) == []


def test_no_two_scans_of_phantoms_are_one(tmp_path):
    make_phantom(tmp_path, subjects=30, stages=2, slices=4, in_plane=64, workers=2)
    signed = {
        files.name: {w: signature(read_image(p).array) for w, p in files.contrasts.items()}
        for files in cases.find_cases(tmp_path)
    }
    assert len(signed) == 60
    assert find_twins(signed, {name: name for name in signed}) == []


def test_a_body_under_two_draws_of_noise_is_two_scans():
    rng = np.random.default_rng(0)
    body = make_volumes("A1", (16, 64, 80))["inn"].astype(np.float32)
    assert not same(body + rng.normal(0, 3, body.shape), body + rng.normal(0, 3, body.shape))


def test_an_image_without_a_pattern_has_no_signature():
    assert signature(np.full((4, 5, 6), 7.0)) is None
    assert find_twins({"a": {"t2": None}, "b": {"t2": None}}, {"a": "a", "b": "b"}) == []


def test_thousands_of_images_are_compared_quickly():
    rng = np.random.default_rng(0)
    signed = {
        str(n): {"wat": ((9, 9, 9), rng.normal(size=512).astype(np.float32))} for n in range(4000)
    }
    signed["twin"] = signed["17"]
    begin = time.process_time()
    (found,) = find_twins(signed, {name: name for name in signed})
    assert set(found.words) == {"17", "twin"}
    assert time.process_time() - begin < 20


# ---- in folders --------------------------------------------------------------------------------


def three(folder, subjects="case,subject\nana,a\nbob,b\ncem,c\n"):
    for name in ("ana", "bob", "cem"):
        write_case(folder, name)
    (folder / "subjects.csv").write_text(subjects)


def copy(folder, source, target, words=CONTRASTS, turn=((2, 0, 1), (-1, 1, -1)), move=True):
    """Save images of one case as those of another: turned, on another scale, as float."""
    for word in words:
        image = nib.load(folder / source / f"{source}_{word}.nii.gz")
        order, signs = turn
        array = turned(image.get_fdata(), turn) * (1 if word == "Labels" else 0.5)
        affine = np.eye(4)
        if move:  # the affine turns with the array
            affine = image.affine @ nib.orientations.inv_ornt_aff(
                np.array([[order.index(i), signs[order.index(i)]] for i in range(3)]), image.shape
            )
        nib.save(nib.Nifti1Image(array.astype(np.float32), affine),
                 folder / target / f"{target}_{word}.nii.gz")  # fmt: skip


@pytest.mark.parametrize("move", [True, False], ids=["array and affine", "array alone"])
def test_check_tells_a_scan_that_stands_under_two_people(tmp_path, move):
    three(tmp_path)
    copy(tmp_path, "ana", "bob", (*CONTRASTS, "Labels"), move=move)
    ana, bob, cem = cases.check_cases(tmp_path)
    said = [text for text in ana["warnings"] if "hold the same image (fat, inn, opp, wat)" in text]
    assert said and said[0] in bob["warnings"]
    assert "ana, bob hold" in said[0] and "several people (a, b)" in said[0]
    assert not any("same image" in text for text in cem["warnings"])


def test_one_contrast_alone_is_told(tmp_path):
    three(tmp_path)
    copy(tmp_path, "ana", "cem", ["fat"], turn=((0, 1, 2), (1, 1, 1)))
    rows = cases.check_cases(tmp_path)
    told = [row["case"] for row in rows if any("same image (fat)" in t for t in row["warnings"])]
    assert told == ["ana", "cem"]


def test_a_contrast_under_another_s_name_is_told(tmp_path):
    three(tmp_path)
    (tmp_path / "cem" / "cem_fat.nii.gz").write_bytes(
        (tmp_path / "ana" / "ana_inn.nii.gz").read_bytes()
    )
    ana = cases.check_cases(tmp_path)[0]
    assert any("(inn of ana, fat of cem)" in text for text in ana["warnings"])


@pytest.mark.parametrize("leak", ["none", "scan"])
def test_an_experiment_refuses_it_before_anything_is_trained(tmp_path, leak):
    three(tmp_path / "data")
    copy(tmp_path / "data", "ana", "bob", ["fat"], turn=((0, 1, 2), (1, 1, 1)))
    with pytest.raises(LeakageError, match=r"ana, bob hold the same image \(fat\)"):
        Experiment("x", "test", tmp_path / "data", reports=tmp_path, overrides={"leak": leak})
    assert not (tmp_path / "x").exists()


def test_a_scan_that_one_person_has_twice_counts_twice(tmp_path):
    three(tmp_path, "case,subject\nana,a\nbob,A \ncem,c\n")
    copy(tmp_path, "ana", "bob", (*CONTRASTS, "Labels"))
    ana = cases.check_cases(tmp_path)[0]
    assert any("so it counts more than once; keep one of them" in text for text in ana["warnings"])
    with pytest.raises(DataError, match="counts more than once"):
        folds.patient_folds(cases.load_cases(tmp_path))


def test_copies_within_a_case_are_the_business_of_that_case(tmp_path):
    write_case(tmp_path, "A1", copy=("wat", "inn"))
    write_case(tmp_path, "B1", copy=("wat", "inn"))
    assert not any("hold the same" in t for row in cases.check_cases(tmp_path)
                   for t in row["warnings"])  # fmt: skip


def test_ten_copies_are_one_finding(tmp_path):
    for n in range(10):
        write_case(tmp_path, f"c{n}{n}")
        copy(tmp_path, "c00", f"c{n}{n}", turn=TURNS[n])
    rows = cases.check_cases(tmp_path)
    assert len({t for row in rows for t in row["warnings"] if "same image" in t}) == 1
