"""The spine stage, the region it leaves, and whom it never sees."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
from quick_experiment import begin

from ivdlib import files
from ivdlib.errors import NothingFound
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import Region, shrink
from ivdlib.training import hashes, spine_stage, store, trial
from ivdlib.training.run import run

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_the_spine_stage_alone(phantom, tmp_path):
    made = begin(tmp_path, phantom, networks=[], references=False)
    rows = run(made)
    assert set(rows["target"]) == {"spine"} and sorted(rows["case"]) == sorted(made.cases)
    assert rows["discs_inside"].between(0, 1).all() and rows["region_share"].between(0, 1).all()
    record = files.read_json(made.folder / "record.json")
    assert (record["planned"], record["left"]) == (len(made.folds), 0)
    assert (record["spine_planned"], record["spine_left"]) == (0, 0)
    assert not list((made.folder / "tables").glob("table*"))
    run(made, 2)  # nothing is left: no process is started


def test_rows_of_the_spine_network_tell_what_its_region_keeps(finished):
    """The same as the rows of the discs, which see nothing else."""
    rows = finished.metrics()
    kept = ["discs_inside", "region_share"]
    spine = rows[rows["target"] == "spine"].set_index("case")[kept]
    discs = rows[(rows["scope"] == "volume") & (rows["network"] == "unet")]
    discs = discs[discs["target"] == "disc"].groupby("case")[kept]
    np.testing.assert_allclose(discs.min(), discs.max())
    np.testing.assert_allclose(discs.mean(), spine.loc[list(discs.groups)], atol=1e-6)


def test_a_lost_spine_network_is_trained_again(again, fits):
    """Weights are not committed with the results, and more seeds may be wanted."""
    more = again(seeds=2)
    spine_stage._regions.clear()
    for fold in more.folds:
        (more.folder / "trainings" / hashes.spine_digest(more, fold) / store.WEIGHTS).unlink()
    trial.train(more, list(more.trainings())[-1], "last")
    assert fits == ["spine U-Net, fold 2", "last"]


def content(array):
    array = np.ascontiguousarray(array)
    return hashlib.sha256(array.tobytes()).hexdigest()


def arrays_of(case, names, region, factor):
    """Hashes of all that a training could take of a scan: images and masks, as they are fed."""
    found = {content(case.discs), content(shrink(spine_stage.truth(case), factor) >= 0.5)}
    for image in fusion.images_of(case.contrasts, names).values():
        found |= {content(image), content(region.apply(image))}
        found.add(content(shrink(image, factor)))
    return found


def test_no_array_of_a_test_patient_is_among_those_that_are_fitted(first_run):
    done, fed = first_run
    assert len(fed) == 6  # two spine networks, four disc networks
    for label, images in fed:
        fold = next(f for f in done.folds if f"fold {f.number}" in label)
        where = spine_stage.regions_once(done, fold)
        names, factor = done.images, done.profile.spine.factor
        known = {
            name: arrays_of(case, names, where[name], factor) for name, case in done.cases.items()
        }
        train = set().union(*(known[name] for name in fold.train))
        test = set().union(*(known[name] for name in fold.test))
        used = {content(array) for item in images for array in (item.image, item.truth)}
        assert used and used <= train, label  # every array is one of a training scan
        assert not used & test, label
        assert len(images) == (8 if "with fusion" in label else 4) * len(fold.train)


def test_the_region_can_be_the_true_spine_or_nothing(phantom, tmp_path, fits):
    true = begin(tmp_path, phantom, "true", spine__region="true", spine__margin=5.0)
    fold = true.folds[0]
    for name, region in spine_stage.regions_of_fold(true, fold).items():
        spine = true.cases[name].spine
        assert region.mask[spine].all() and not region.mask.all()
    placed = begin(tmp_path, phantom, "placed", spine__region="true", spine__mask=False)
    for name, region in spine_stage.regions_of_fold(
        placed, fold
    ).items():  # a band, nothing set to zero
        assert region.mask is None
        assert region.window == spine_stage.regions_of_fold(true, fold)[name].window
    none = begin(tmp_path, phantom, "none", spine__region="none")
    assert spine_stage.regions_of_fold(none, fold) == {n: Region(None, (0, 64)) for n in none.cases}
    large = begin(tmp_path, phantom, "large", training__tile=[64, 64])
    assert not large.uses_region
    assert hashes.disc_fields(large, next(large.trainings()))["region"] is None
    assert fits == []


def test_a_spine_network_that_finds_nothing_is_said(phantom, tmp_path, monkeypatch):
    made = begin(tmp_path, phantom, "nothing")
    monkeypatch.setattr(spine_stage, "network", lambda *_: SimpleNamespace(model=None))
    empty = sorted(made.cases)[:2]
    monkeypatch.setattr(
        spine_stage, "find_spine",
        lambda model, experiment, case: np.full(case.shape, case.name not in empty),
    )  # fmt: skip
    with pytest.warns(NothingFound, match="fold 1: the spine network found nothing in 01, 02, so"):
        found = spine_stage.regions_of_fold(made, made.folds[0])
    assert [found[name].mask is None for name in sorted(made.cases)] == [True, True, False]


def test_a_tube_around_the_discs_stands_for_an_unlabelled_spine():
    case = SimpleNamespace(spine=None, discs=np.zeros((12, 40, 60), bool), spacing=(4.0, 2.0, 2.0))
    case.discs[4:8, 15:25, 20:24] = True
    case.discs[4:8, 15:25, 40:44] = True
    tube = spine_stage.truth(case)
    assert tube[case.discs].all() and tube[6, 20, 30] and not tube.all()
    case.spine = case.discs
    assert spine_stage.truth(case) is case.discs
