"""Measuring a phantom, on arrays with known answers and on a small phantom."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.data.discs import LEVELS
from ivdlib.errors import DataError
from ivdlib.evaluation import metrics
from ivdlib.phantom import calibration, make_phantom
from ivdlib.phantom.calibration import Measured, literature, real, regions, rows, shapes

SPACING = (2.0, 1.25, 1.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two stages of one person, four slices."""
    return make_phantom(tmp_path_factory.mktemp("data") / "p", 1, 2, 3, slices=4, in_plane=96)


@pytest.fixture(scope="module")
def measured(folder) -> Measured:
    return calibration.measure(folder)


@pytest.fixture
def copied(folder, tmp_path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(folder, tmp_path / "p"))


# --- real statistics -----------------------------------------------------------------------------


def test_real_statistics_are_the_published_ones():
    statistics = calibration.real_statistics()
    assert tuple(statistics["levels"]) == LEVELS
    mean = {level: np.mean(v) for level, v in statistics["volume_ml"].items()}
    spread = {level: np.std(v, ddof=1) for level, v in statistics["volume_ml"].items()}
    assert mean["L4/5"] == pytest.approx(17.9, abs=0.05)
    assert spread["L4/5"] == pytest.approx(5.0, abs=0.05)
    assert mean["T11/12"] == pytest.approx(7.2, abs=0.05)
    assert real.band("volume_ml", "L4/5") == pytest.approx((7.80, 27.94), abs=0.01)
    assert list(statistics["centre_spacing_z_mm"]) == list(LEVELS[:-1])
    assert "SFDA" in statistics["source"] and "72a0a8d0" in statistics["source"]


def test_real_volumes_add_up_and_give_the_share_of_the_voxels():
    statistics = calibration.real_statistics()
    totals = np.sum([*statistics["volume_ml"].values()], axis=0)
    np.testing.assert_allclose(totals, statistics["total_ml"], atol=0.04)
    voxels = np.prod(statistics["shape"]) * np.prod(statistics["voxel_mm"]) / 1000
    share = 100 * np.array(statistics["total_ml"]) / voxels
    np.testing.assert_allclose(share, statistics["foreground_percent"], atol=0.001)


# --- labels --------------------------------------------------------------------------------------


def boxes(*corners: tuple[slice, slice, slice]) -> np.ndarray:
    volume = np.zeros((12, 20, 40), bool)
    for corner in corners:
        volume[corner] = True
    return volume


LOW = (slice(2, 8), slice(5, 15), slice(4, 9))
HIGH = (slice(1, 9), slice(4, 14), slice(20, 24))


def test_sizes_of_boxes():
    mask = boxes(LOW, HIGH)
    discs = np.where(mask, 1, 0)
    discs[HIGH] = 2
    low, high = shapes.disc_sizes(mask, discs, ["A", "B"], SPACING)
    assert low["level"] == "A"
    assert low["volume_ml"] == pytest.approx(6 * 10 * 5 * np.prod(SPACING) / 1000)
    assert low["max_transverse_area_mm2"] == pytest.approx(60 * 2 * 1.25)
    assert low["z_extent_mm"] == pytest.approx(5 * 1.5)
    assert low["centre_spacing_z_mm"] == pytest.approx((21.5 - 6) * 1.5)
    assert high["max_transverse_area_mm2"] == pytest.approx(80 * 2 * 1.25)
    assert np.isnan(high["centre_spacing_z_mm"])


def test_the_largest_plane_is_taken_and_a_speck_belongs_to_the_nearest_disc():
    mask = boxes(LOW, HIGH)
    discs = np.where(mask, 1, 0)
    discs[HIGH] = 2
    mask[3, 6, 10] = mask[2:5, 6:8, 9] = True  # a step on the low box, and a speck above it
    low, high = shapes.disc_sizes(mask, discs, ["A", "B"], SPACING)
    assert low["volume_ml"] == pytest.approx((300 + 7) * np.prod(SPACING) / 1000)
    assert low["max_transverse_area_mm2"] == pytest.approx(60 * 2 * 1.25)
    assert low["z_extent_mm"] == pytest.approx(7 * 1.5)
    assert high["volume_ml"] == pytest.approx(320 * np.prod(SPACING) / 1000)


def test_an_empty_label_has_no_sizes():
    discs = np.where(boxes(LOW), 1, 0)
    assert shapes.disc_sizes(np.zeros_like(discs, bool), discs, ["A"], SPACING) == []


def test_extent_of_a_label_counts_planes_as_of_256():
    mask = boxes(LOW, HIGH)
    found = shapes.label_extent(mask)
    assert found == {
        "components": 2,
        "foreground_percent": pytest.approx(100 * (300 + 320) / mask.size),
        "slices": 8,
        "z_low": pytest.approx(4 * 6.4),
        "z_high": pytest.approx(23 * 6.4),
    }


def test_extent_of_an_empty_label():
    found = shapes.label_extent(np.zeros((3, 4, 5), bool))
    assert (found["components"], found["slices"]) == (0, 0)
    assert np.isnan(found["z_low"])


def test_levels_are_those_of_the_nearest_true_centre():
    affine = np.diag([2.0, 1.25, 1.5, 1]) + 0.0
    affine[:3, 3] = 5, -7, 11
    centres = {
        "high": affine[:3, :3] @ [4.5, 8.5, 21.5] + affine[:3, 3] + 1,
        "low": affine[:3, :3] @ [4.5, 9.5, 6] + affine[:3, 3] - 2,
        "beyond": np.array([0, 0, 500.0]),
    }
    discs, levels = shapes.name_discs(boxes(LOW, HIGH), affine, centres)
    assert levels == ["low", "high"]
    assert discs[3, 6, 5] == 1 and discs[3, 6, 21] == 2


def test_two_pieces_of_one_level_and_no_truth_are_refused():
    mask = boxes(LOW, HIGH)
    with pytest.raises(DataError, match="2 pieces for 1 levels"):
        shapes.name_discs(mask, np.eye(4), {"A": np.zeros(3)})
    with pytest.raises(DataError, match="names no disc"):
        shapes.name_discs(mask, np.eye(4), {})


def test_a_slab_that_is_moved_by_a_voxel_lies_a_voxel_apart():
    slab = np.zeros((6, 7, 30), bool)
    slab[..., 10:18] = True
    mean, square = shapes.jitter_mm(slab, np.roll(slab, 1, axis=2), SPACING)
    assert mean == pytest.approx(1.5) and square == pytest.approx(1.5)


def test_a_slab_moved_on_half_of_its_area():
    slab = np.zeros((6, 8, 30), bool)
    slab[..., 10:18] = True
    other = slab.copy()
    other[:, 4:, 18] = True  # the upper surface rises by one voxel at the front
    mean, square = shapes.jitter_mm(slab, other, SPACING)
    # 48 + 48 voxels a label; 24 of each upper surface lie off, next to the step only by 1.25 mm;
    # the step's own voxel below the rim is no surface, having a neighbour on each face.
    apart = np.r_[np.zeros(72), np.full(18, 1.5), np.full(6, 1.25)]
    both = np.r_[apart, np.zeros(72), np.full(24, 1.5)]
    assert mean == pytest.approx(both.mean())
    assert square == pytest.approx(np.sqrt(np.mean(both**2)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_jitter_is_the_surface_distance_of_the_scores(seed):
    rng = np.random.default_rng(seed)
    a, b = np.zeros((2, 10, 12, 14), bool)
    a[2:8, 3:9, 4:10] = rng.random((6, 6, 6)) < 0.6
    b[2:8, 3:9, 4:10] = rng.random((6, 6, 6)) < 0.6
    a[5, 5, 5] = b[5, 5, 5] = True
    mean, square = shapes.jitter_mm(a, b, SPACING)
    assert mean == pytest.approx(metrics.asd_mm(a, b, SPACING))
    assert square >= mean
    assert shapes.jitter_mm(b, a, SPACING) == pytest.approx((mean, square))
    assert shapes.jitter_mm(a, a, SPACING) == (0, 0)


def test_jitter_of_an_empty_label_is_unknown():
    assert np.isnan(shapes.jitter_mm(boxes(), boxes(LOW), SPACING)).all()


# --- grey values ---------------------------------------------------------------------------------

NAMES = {1: "skin", 2: "nucleus", 3: "annulus", 4: "marrow", 5: "muscle", 6: "fat", 7: "gas"}
WATER = {0: 0, 1: 50, 2: 200, 3: 150, 4: 60, 5: 100, 6: 4, 7: 0}
FAT = {0: 0, 1: 10, 2: 12, 3: 12, 4: 80, 5: 3, 6: 300, 7: 0}


@pytest.fixture
def body() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tissue, exact discs and spine: a box of layers, from the back (low) to the front."""
    tissue = np.zeros((20, 120, 60), np.uint8)
    tissue[:, 20:100] = 6
    tissue[:, 20] = tissue[:, 99] = 1
    tissue[:, 30:50] = 5
    tissue[:, 50:80] = 4
    tissue[:, 55:75, 10:20] = tissue[:, 55:75, 40:50] = 2
    tissue[:, 52:55, 10:20] = 3
    tissue[:, 85:90, 20:40] = 7
    exact = np.zeros(tissue.shape, bool)
    exact[4:16, 52:75, 10:20] = exact[4:16, 52:75, 40:50] = True
    return tissue, exact, np.isin(tissue, (2, 3, 4)) & (np.arange(60) < 55)


def test_ratios_are_those_of_the_tissues_means(body):
    tissue, exact, spine = body
    where = regions.regions(tissue, NAMES, exact, spine, (2, 1.25, 1.25))
    wat, fat = (np.vectorize(table.get)(tissue).astype(np.float32) for table in (WATER, FAT))
    ratios = regions.contrast_ratios(
        {"wat": wat, "fat": fat, "inn": wat + fat, "opp": np.abs(wat - fat)}, where
    )
    disc = wat[where["disc"]].mean()
    assert 150 < disc < 200, "nucleus and annulus, the latter's outermost voxels off"
    assert ratios["marrow_disc_wat"] == pytest.approx(60 / disc)
    assert ratios["marrow_disc_inn"] == pytest.approx(140 / (disc + 12))
    assert ratios["marrow_disc_opp"] == pytest.approx(20 / (disc - 12))
    assert ratios["marrow_fat"] == pytest.approx(80 / disc)
    assert ratios["disc_fat"] == pytest.approx(12 / disc)
    assert ratios["muscle_wat"] == pytest.approx(100 / disc)
    assert ratios["skin_fat"] == pytest.approx(300 / disc)


def test_regions_lie_where_they_should(body):
    tissue, exact, spine = body
    where = regions.regions(tissue, NAMES, exact, spine, (2, 1.25, 1.25))
    assert not (where["disc"] & ~exact).any()
    planes = np.flatnonzero(where["marrow"].any(axis=(0, 1)))
    assert (planes[0], planes[-1]) == (11, 48), "between the lowest and the highest labelled disc"
    slices = np.flatnonzero(where["muscle"].any(axis=(1, 2)))
    assert (slices[0], slices[-1]) == (6, 13), "8 mm to either side of the middle, 9.5"
    fronts = np.flatnonzero(where["fat_front"].any(axis=(0, 2)))
    backs = np.flatnonzero(where["fat_back"].any(axis=(0, 2)))
    assert fronts[0] >= 99 - 16 and fronts[-1] == 97
    assert (backs[0], backs[-1]) == (22, 28), "20 mm would reach into the muscle"
    airs = np.flatnonzero(where["air"].any(axis=(0, 2)))
    assert airs.max() == 119 and airs.min() == 0
    assert not where["air"][:, 11:109].any(), "12 mm off the body"
    assert not where["air"][tissue == 7].any()


def test_a_thin_region_keeps_its_outermost_voxels():
    mask = np.zeros((9, 9, 9), bool)
    mask[2:7, 2:7, 2:7] = True
    near = np.ones((9, 1, 1), bool)
    np.testing.assert_array_equal(regions.inner(mask, near), mask)
    large = np.zeros((12, 12, 12), bool)
    large[1:11, 1:11, 1:11] = True
    assert regions.inner(large, np.ones((12, 1, 1), bool)).sum() == 8**3


def test_regions_without_a_disc_are_refused(body):
    tissue, exact, spine = body
    with pytest.raises(DataError, match="exact label is empty"):
        regions.regions(tissue, NAMES, np.zeros_like(exact), spine, (2, 1.25, 1.25))


def test_noise_and_coil_are_found_again(body):
    tissue, exact, spine = body
    where = regions.regions(tissue, NAMES, exact, spine, (2, 1.25, 1.25))
    rng = np.random.default_rng(0)
    clean = np.where(tissue > 0, 120.0, 0) * np.where(np.arange(120) < 60, 4, 1)[None, :, None]
    noise = 5 * (rng.standard_normal(clean.shape) + 1j * rng.standard_normal(clean.shape))
    found = regions.receiver(np.abs(clean + noise), where)
    middle = np.abs(clean + noise)[where["disc"]].mean()
    assert found["noise_disc"] == pytest.approx(5 / middle, rel=0.02)
    assert found["back_front"] == pytest.approx(4, rel=0.01)


def test_identities_count_voxels_where_nothing_was_cut_off():
    wat, fat = np.array([10.0, 10, 10, 10, 0]), np.array([4.0, 4, 4, 40, 9])
    inn, opp = np.array([14.0, 15, 16, 50, 99]), np.array([6.0, 6, 4, 30, 99])
    found = regions.identities({"wat": wat, "fat": fat, "inn": inn, "opp": opp})
    assert found == {"inn_holds": 3 / 4, "opp_holds": 3 / 4}
    nothing = regions.identities(dict.fromkeys(("wat", "fat", "inn", "opp"), np.zeros(3)))
    assert np.isnan(nothing["inn_holds"])


# --- a phantom -----------------------------------------------------------------------------------


def test_every_scan_and_every_disc_is_measured(measured):
    assert measured.scans["case"].tolist() == ["01", "02"]
    assert measured.levels.groupby("case")["level"].agg(tuple).tolist() == [LEVELS, LEVELS]
    assert not measured.whole
    sums = measured.levels.groupby("case")["volume_ml"].sum().to_numpy()
    np.testing.assert_allclose(sums, measured.scans["total_ml"])
    assert (measured.scans[["inn_holds", "opp_holds"]] == 1).all(axis=None)
    assert measured.scans["jitter_mm"].between(0.1, 1.5).all()


def test_sizes_are_those_that_the_truth_counts(measured):
    """`label_ml` of the truth was counted where the label was made."""
    np.testing.assert_allclose(measured.levels["volume_ml"], measured.levels["label_ml"], rtol=0.06)
    gap = measured.levels.groupby("case")["z_mm"].diff().shift(-1).dropna()
    here = measured.levels["centre_spacing_z_mm"].dropna()
    np.testing.assert_allclose(here, gap, atol=3.0)  # whole disc against its middle slices


def test_pairs_come_from_the_truth(measured, folder):
    truth = pd.read_csv(folder / "phantom.csv", dtype={"case": str})
    one, two = (truth[truth["case"] == case].reset_index() for case in ("01", "02"))
    np.testing.assert_allclose(
        measured.heights["height_percent"], 100 * (two["height_mm"] / one["height_mm"] - 1)
    )
    ends = [t[["x_mm", "y_mm", "z_mm"]].to_numpy()[[0, -1]] for t in (one, two)]
    before, after = (np.linalg.norm(high - low) for low, high in ends)
    (pair,) = measured.pairs.to_dict("records")
    assert pair["length_mm"] == pytest.approx(after - before)
    curve = [
        json.loads((folder / case / f"{case}_scan.json").read_text())["person"]["lordosis_deg"]
        for case in ("01", "02")
    ]
    assert pair["lordosis_deg"] == pytest.approx(curve[1] - curve[0])
    total = measured.scans["total_ml"]
    assert pair["volume_percent"] == pytest.approx(100 * (total[1] / total[0] - 1))


def test_a_scan_with_an_exchange_has_no_ratios(copied):
    for case, value in (("01", 1), ("02", 0)):
        labels = nib.load(copied / case / f"{case}_Labels.nii.gz")
        swap = np.full(labels.shape, value, np.uint8)
        nib.save(nib.Nifti1Image(swap, labels.affine), copied / case / f"{case}_Swap.nii.gz")
    one, two = calibration.measure(copied).scans.to_dict("records")
    assert one["exchanged"] and np.isnan(one["marrow_disc_wat"])
    assert np.isfinite(one["noise_disc"])
    assert not two["exchanged"] and np.isfinite(two["marrow_disc_wat"])


def test_an_exchange_has_no_ratios_in_the_targets(measured):
    scans = measured.scans.assign(marrow_fat=[np.nan, 0.46])
    table = calibration.targets(replace(measured, scans=scans))
    row = table[table["target"].str.contains("marrow in the fat image")].iloc[0]
    assert row["n"] == 1 and row["met"] is True


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: (p / "phantom.csv").unlink(), "holds no phantom"),
        (lambda p: (p / "01" / "01_Tissue.nii.gz").unlink(), "case 01 has no 01_Tissue.nii.gz"),
        (lambda p: (p / "02" / "02_Exact.nii.gz").unlink(), "case 02 has no 02_Exact.nii.gz"),
        (lambda p: (p / "02" / "02_Labels.nii.gz").unlink(), "label"),
        (lambda p: (p / "dataset.json").write_text('{"name": "phantom"}'), "names no tissues"),
        (lambda p: (p / "01" / "01_Exact.nii.gz").write_bytes(b"x"), "01_Exact.nii.gz"),
        (lambda p: other_size(p / "01" / "01_Tissue.nii.gz"), "lies on another grid than the scan"),
    ],
)
def test_a_broken_folder_is_told(copied, spoil, message):
    spoil(copied)
    with pytest.raises(DataError, match=message):
        calibration.measure(copied)


def other_size(path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), path)


# --- targets -------------------------------------------------------------------------------------


def perfect() -> Measured:
    """Two stages of two persons that meet everything."""
    statistics = calibration.real_statistics()
    who = [("01", "1", "1"), ("02", "1", "2"), ("03", "2", "1"), ("04", "2", "2")]
    scans = pd.DataFrame(who, columns=["case", "subject", "stage"]).assign(
        exchanged=False, whole=True, components=7, foreground_percent=1.3, slices=28, z_low=6.0,
        z_high=243.0, total_ml=90.0, jitter_mm=0.5, jitter_rms_mm=0.7, muscle_wat=1.0,
        skin_fat=1.8, noise_disc=0.03, back_front=4.0, inn_holds=1.0, opp_holds=1.0,
        **{key: value for key, (value, _) in real.PUBLISHED_CONTRASTS.items()},
    )  # fmt: skip
    levels = pd.DataFrame(
        {"case": case, "subject": subject, "stage": stage, "level": level,
         **{q: np.mean(statistics[q].get(level, np.nan)) for q in calibration.QUANTITIES},
         **{c: np.mean(literature.HEIGHTS_MM[c].get(level, 5)) for c in literature.HEIGHT_COLUMNS}}
        for case, subject, stage in who for level in LEVELS
    )  # fmt: skip
    pairs = pd.DataFrame({"subject": ["1", "2"], "stage": "2", "volume_percent": 3.0,
                          "length_mm": 4.0, "lordosis_deg": [-6.0, -2.0]})  # fmt: skip
    heights = pd.DataFrame(
        {"subject": s, "stage": "2", "level": level, "height_percent": 3.0}
        for s in "12" for level in LEVELS
    )  # fmt: skip
    return Measured(Path("nowhere"), {}, scans, levels, pairs, heights)


def missed(measured: Measured) -> list[str]:
    table = calibration.targets(measured)
    return [row.target for row in table.itertuples() if row.met is False]


def test_what_is_perfect_meets_every_target():
    table = calibration.targets(perfect())
    assert table["met"].map({True: 1, False: 0, None: -1}).value_counts().to_dict() == {
        1: 35,
        -1: 1,
    }
    assert table.loc[table["met"].isna(), "wanted"].tolist() == ["shown only"]
    assert table["target"].is_unique
    assert (table["group"] == "acceptance").sum() == 1 + 7 + 2 + 2 + 5 + 1


@pytest.mark.parametrize(
    ("column", "value", "target"),
    [
        ("components", 8, "Separate pieces in the label"),
        ("foreground_percent", 1.91, "Share of voxels that are disc"),
        ("z_low", 5.0, "Lowest and highest labelled voxel, of 256"),
        ("z_high", 244.0, "Lowest and highest labelled voxel, of 256"),
        ("slices", 25, "Slices with label"),
        ("inn_holds", 0.999_999, "inn = wat + fat, to one count"),
        ("opp_holds", 0.5, "opp = |wat − fat|, to one count"),
        ("noise_disc", 0.08, "Noise in phase, to disc"),
    ],
)
def test_one_scan_that_is_off_misses_its_row_and_no_other(column, value, target):
    measured = perfect()
    scans = measured.scans.astype({column: float})
    scans.loc[2, column] = value
    assert missed(replace(measured, scans=scans)) == [target]


@pytest.mark.parametrize("level", LEVELS)
def test_one_disc_that_is_off_misses_its_level(level):
    measured, levels = perfect(), perfect().levels
    spot = levels.index[levels["level"] == level][1]
    levels.loc[spot, "volume_ml"] = real.band("volume_ml", level)[1] + 0.01
    assert missed(replace(measured, levels=levels)) == [f"Disc volume, {level}"]


@pytest.mark.parametrize(
    ("factor", "met"), [(0.84, False), (0.86, True), (1.14, True), (1.16, False)]
)
def test_contrast_ratios_may_be_off_by_fifteen_per_cent(factor, met):
    measured = perfect()
    keys = list(real.PUBLISHED_CONTRASTS)
    scans = measured.scans.assign(**{key: measured.scans[key] * factor for key in keys})
    table = calibration.targets(replace(measured, scans=scans))
    mine = table[table["source"].str.contains("15 %") & (table["group"] == "acceptance")]
    assert mine["met"].tolist() == [met] * 5


def test_one_disc_in_twenty_may_lie_outside_the_band_of_its_level():
    levels = perfect().levels
    levels.loc[0, "z_extent_mm"] = 99
    assert missed(replace(perfect(), levels=levels)) == []
    levels.loc[[1, 2], "z_extent_mm"] = 99
    assert missed(replace(perfect(), levels=levels)) == ["Extent from below to above (mm)"]


def test_sizes_of_some_slices_are_no_answer():
    measured = perfect()
    part = replace(measured, scans=measured.scans.assign(whole=False))
    table = calibration.targets(part).set_index("target")
    words = table.loc[table["measured"] == "needs all 36 slices"]
    assert words["met"].isna().all()
    assert sorted(words.index) == sorted([
        *(f"Disc volume, {level}" for level in LEVELS), "Share of voxels that are disc",
        "Lowest and highest labelled voxel, of 256", "Largest transverse area (mm²)",
        "Extent from below to above (mm)", "Slices with label",
        "Second stage: growth of all discs' volume",
    ])  # fmt: skip
    assert table.loc["Distance to the next disc above (mm)", "met"] is True


def test_one_stage_and_no_rater_are_no_answer():
    measured = perfect()
    scans = measured.scans.assign(jitter_mm=0.0, jitter_rms_mm=0.0)
    alone = replace(measured, scans=scans, pairs=measured.pairs[:0], heights=measured.heights[:0])
    table = calibration.targets(alone).set_index("target")
    stages = table[table.index.str.startswith("Second stage")]
    assert stages["met"].isna().all() and (stages["n"] == 0).all()
    assert set(stages["measured"]) == {"needs two stages of a person"}
    assert (
        "no rater" in table.loc["Label to exact label, mean distance of the surfaces", "measured"]
    )
    assert missed(alone) == []


def test_a_level_whose_height_is_off_is_named():
    levels = perfect().levels
    levels.loc[levels["level"] == "L4/5", "height_back_mm"] = 3.0
    table = calibration.targets(replace(perfect(), levels=levels)).set_index("target")
    assert table.loc["Disc height, back", "measured"] == "2 of 3 levels (not L4/5)"
    assert table.loc["Disc height, back", "met"] is False


def test_rows_of_values_tell_how_many_and_from_where_to_where():
    row = dict(
        zip(rows.COLUMNS, rows.each("t", "s", [1.0, 2.5, np.nan], (-1, 2), " mm"), strict=True)
    )
    assert row["wanted"] == "each −1.0 to 2.0 mm"
    assert (row["measured"], row["n"], row["met"]) == ("1 of 2 (1.0 to 2.5)", 2, False)
    row = dict(zip(rows.COLUMNS, rows.average("t", "s", [1.0, 2.5], (1, np.inf)), strict=True))
    assert row["wanted"] == "mean 1.00 or more"
    assert (row["measured"], row["met"]) == ("1.75 (1.00 to 2.50)", True)
    row = dict(zip(rows.COLUMNS, rows.average("t", "s", [np.nan], (1, 2)), strict=True))
    assert (row["measured"], row["n"], row["met"]) == ("not in these files", 0, None)
