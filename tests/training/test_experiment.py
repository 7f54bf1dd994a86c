"""The grid: what it writes, that it resumes, and that no test patient reaches a training."""

import gzip
import hashlib
import json
import shutil
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from ivdlib import files, networks
from ivdlib.data.cases import Case
from ivdlib.errors import ConfigError, DataError, DataWarning, LeakageError, NothingFound
from ivdlib.evaluation import metrics, recorded
from ivdlib.networks import UNetConfig, unet
from ivdlib.phantom import VERSION, Conditions, make_phantom
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import Region, region_of, shrink
from ivdlib.preprocessing.sampler import TileSampler
from ivdlib.profiles import ARMS
from ivdlib.provenance import sound_name
from ivdlib.report import compare
from ivdlib.report import experiment as report
from ivdlib.report.audit import page as audit_page
from ivdlib.training import baselines, hashes, inference, plan, spine_stage, store, trial
from ivdlib.training import experiment as experiment_module
from ivdlib.training.experiment import Experiment
from ivdlib.training.grid import Training
from ivdlib.training.run import collect, run
from ivdlib.training.trainer import Trainer
from ivdlib.training.weights import load_model

SINGLE = ("wat", "fat", "inn", "opp")
FUSED = ("wat+opp", "fat+opp", "wat+inn", "inn+opp")
QUICK = {
    "networks": ["unet"],
    "training.tile": [32, 32],
    "training.steps": 3,
    "score_discs": True,
}


@pytest.fixture(scope="module", autouse=True)
def tiny_networks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(unet.SIZES, "tiny", UNetConfig(base=2, levels=1))
        patch.setenv("IVDLIB_PROGRESS", "off")
        yield


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    return make_phantom(
        tmp_path_factory.mktemp("data") / "phantom", subjects=3, stages=1, slices=2, in_plane=64
    )


def begin(reports, phantom, name="grid", **overrides):
    overrides = {**QUICK, **{key.replace("__", "."): v for key, v in overrides.items()}}
    return Experiment(name, "test", phantom, overrides=overrides, reports=reports)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory, phantom):
    """An experiment that has run once, and of each of its trainings label and images."""
    done, fed = begin(tmp_path_factory.mktemp("reports"), phantom), []
    fit = Trainer.fit

    def spied(self, sampler, seed, label, checkpoint=None, watch=None):
        fed.append((label, sampler.images))
        return fit(self, sampler, seed, label, checkpoint, watch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", spied)
        run(done)
    return done, fed


@pytest.fixture(scope="module")
def finished(first_run):
    """An experiment that has run once; not to be changed."""
    return first_run[0]


@pytest.fixture
def again(finished, phantom, tmp_path):
    """Open a copy of the finished experiment anew, with other values where wanted."""
    shutil.copytree(finished.folder, tmp_path / "grid")
    return lambda **overrides: begin(tmp_path, phantom, **overrides)


@pytest.fixture
def fits(monkeypatch):
    """Labels of the trainings that are done."""
    labels = []
    fit = Trainer.fit

    def counted(self, sampler, seed, label, checkpoint=None, watch=None):
        labels.append(label)
        return fit(self, sampler, seed, label, checkpoint, watch)

    monkeypatch.setattr(Trainer, "fit", counted)
    return labels


def contents(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# --- what it writes ------------------------------------------------------------------------


def test_the_folder_is_that_of_the_design(finished):
    hashes = {hashes.disc_digest(finished, t) for t in finished.trainings()}
    hashes |= {hashes.spine_digest(finished, fold) for fold in finished.folds}
    assert len(hashes) == 2 * 2 + 2  # two folds, with and without fusion; two spine networks
    parts = ("history.csv", "metrics.csv.gz", "model.weights.h5", "record.json")
    expected = ["metrics.csv", "record.json", "tables/exact_labels.csv"]
    expected.append("tables/fused_and_water.csv")
    expected += [f"tables/table{n}.{end}" for n in (1, 2, 3) for end in ("csv", "md")]
    expected += [f"trainings/{digest}/{part}" for digest in hashes for part in parts]
    assert contents(finished.folder) == sorted(expected)


def test_the_record_of_the_experiment(finished):
    record = files.read_json(finished.folder / "record.json")
    assert record["name"] == "grid" and record["comparable"] is False
    assert record["phantom"] is False and record["tile"] == [32, 32]
    assert record["cases"]["02"] == {"subject": "2", "stage": "1"}
    assert record["config_hash"] == finished.digest
    assert record["config"]["profile"]["training"]["steps"] == 3
    assert {"made", "versions", "device", "command", "deviations"} <= set(record)
    assert record["seeds"] == 1 and record["seconds"] > 0 and len(record["trainings"]) == 6
    assert all((finished.folder / "trainings" / name).is_dir() for name in record["trainings"])
    tested = [case for fold in record["config"]["folds"] for case in fold["test"]]
    assert sorted(tested) == ["01", "02", "03"]


def test_scores_that_were_edited_are_told(again, finished, tmp_path):
    """The records vouch for scores, curves and tables; what differs is said wherever it is read."""
    made, folder = again(), again().folder
    sealed = files.read_json(folder / "record.json")["sha256"]
    assert {"metrics.csv", "tables/table1.csv", "tables/table1.md"} <= set(sealed)
    assert recorded.changed(folder) == []
    crlf = (folder / "metrics.csv").read_bytes().replace(b"\n", b"\r\n")
    (folder / "metrics.csv").write_bytes(crlf)  # as a checkout on Windows has it
    packed = folder.glob("trainings/*/metrics.csv.gz")
    one, text = next((p, t) for p in packed if b"wat" in (t := gzip.decompress(p.read_bytes())))
    one.write_bytes(gzip.compress(text, 1, mtime=5))  # packed otherwise
    assert recorded.changed(folder) == [] and "CHANGED" not in report.render(folder)

    scores = pd.read_csv(folder / "metrics.csv", dtype=str, keep_default_na=False)
    scores.loc[0, "dice"] = "0.99"
    scores.to_csv(folder / "metrics.csv", index=False)
    with pytest.warns(DataWarning, match="metrics.csv changed since the record was written"):
        page = report.render(folder)
    assert "CHANGED" in page and "when it was made: metrics.csv" in page
    other = shutil.copytree(folder, tmp_path / "audit" / "other")
    with pytest.warns(DataWarning, match="metrics.csv changed"):
        made_of_two = compare.build([folder, other], tmp_path / "two")
    assert "CHANGED" in made_of_two["html"].read_text(encoding="utf-8")
    with pytest.warns(DataWarning, match="metrics.csv changed"):
        audit_page.write(tmp_path)
    assert "**Changed:** metrics.csv" in (tmp_path / "AUDIT.md").read_text(encoding="utf-8")

    one.write_bytes(gzip.compress(text.replace(b"wat", b"fat")))
    with pytest.warns(DataWarning, match=f"{one.parent.name}/metrics.csv.gz changed"):
        run(made)
    with pytest.warns(DataWarning, match="metrics.csv.gz changed"):
        assert recorded.changed(folder) == [one.relative_to(folder).as_posix()]

    for path in folder.rglob("record.json"):  # records of before
        record = files.read_json(path)
        del record["sha256"]
        files.write_json(path, record)
    assert recorded.changed(folder) == []


def test_the_record_tells_what_is_odd_about_the_scans(phantom, tmp_path):
    shutil.copytree(phantom, tmp_path / "hot")
    path = tmp_path / "hot" / "01" / "01_fat.nii.gz"
    image = nib.load(path)
    array = np.asarray(image.dataobj).copy()
    array[1, 20, 20] = 4 * array.max()
    nib.save(nib.Nifti1Image(array, image.affine), path)
    with pytest.warns(DataWarning, match="far above all others"):
        hot = begin(tmp_path, tmp_path / "hot")
    (told,) = files.read_json(hot.folder / "record.json")["remarks"]
    assert told.startswith("case 01: fat: 1 voxel lies far above all others, at 1, 20, 20")
    assert "mend" not in told


def test_a_record_of_what_was_stopped_says_what_is_left(phantom, tmp_path, monkeypatch):
    made = begin(tmp_path, phantom, networks=["unet", "fds_cnn"], arms=["without"])
    path = made.folder / "record.json"
    assert files.read_json(path)["left"] == files.read_json(path)["planned"] == 4
    assert files.read_json(path)["spine_left"] == files.read_json(path)["spine_planned"] == 2
    train, done = trial.train, []

    def stopped(*arguments):
        if done:
            raise KeyboardInterrupt
        done.append(train(*arguments))
        return done[-1]

    monkeypatch.setattr(trial, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(made)
    record = files.read_json(path)
    assert (record["left"], record["planned"]) == (3, 4) and record["devices"]
    collect(made)
    table = (made.folder / "tables" / "table1.md").read_text(encoding="utf-8")
    assert "UNFINISHED: 3 of 4 trainings of discs, and 1 of 2 of the spine, are left" in table
    assert "UNFINISHED" not in made.label()


def test_a_record_follows_what_was_added(finished, again):
    """The command, deviations and choices are those of what is there now."""
    before = files.read_json(finished.folder / "record.json")
    assert {row["field"] for row in before["deviations"]} >= {"networks", "folds"}
    more = again(seeds=2, arms=["without"])
    collect(more)
    record = files.read_json(more.folder / "record.json")
    assert record["config_hash"] == before["config_hash"] and record["seeds"] == 2
    words = " ".join(record["command"])
    assert "--seeds 2" in words and "arms=without" in words and "networks=unet" in words
    assert "arms=" not in " ".join(before["command"]) and record["left"] == 2
    assert {row["field"] for row in record["deviations"]} >= {"arms"}


def test_the_command_of_a_record_opens_the_same_experiment(finished, phantom, tmp_path):
    from ivdlib import cli
    from ivdlib.cli import grid

    words = files.read_json(finished.folder / "record.json")["command"]
    assert words[:4] == ["python", "-m", "ivdlib", "grid"]
    args = cli._parser().parse_args(words[3:])
    assert args.data == f"data/{phantom.name}"
    wanted = grid._declared(args)
    same = Experiment(
        wanted.name, wanted.profile, phantom, overrides=wanted.overrides, reports=tmp_path
    )
    assert same.digest == finished.digest
    assert list(map(vars, same.trainings())) == list(map(vars, finished.trainings()))


def test_the_record_of_a_training_says_what_made_it(finished):
    for training in finished.trainings():
        digest = hashes.disc_digest(finished, training)
        place = finished.folder / "trainings" / digest
        record = files.read_json(place / "record.json")
        fold = training.fold
        assert record["target"] == "disc" and record["fold"] == fold.number
        assert tuple(record["train"]) == fold.train and tuple(record["test"]) == fold.test
        assert record["images"] == list(SINGLE + (FUSED if training.arm == "with" else ()))
        assert record["options"]["steps"] == 3
        assert record["region"]["spine"] == hashes.spine_digest(finished, fold)
        network = load_model(place / "model.weights.h5")
        assert network.passport == record["passport"]
        assert network.passport["trained_by"] == f"grid/{digest}"
        assert network.passport["spine"] == record["region"]["spine"]
        weights = network.model.trainable_weights
        assert record["parameters"] == sum(int(np.prod(w.shape)) for w in weights)
        assert pd.read_csv(place / "history.csv")["step"].tolist() == [1, 2, 3]


def test_every_scan_and_contrast_is_scored_once_an_arm(finished):
    rows = finished.metrics()
    volumes = rows[(rows["scope"] == "volume") & (rows["target"] == "disc")]
    keys = volumes[["trained_on", "case", "contrast"]].apply(tuple, axis=1).tolist()
    cases = ("01", "02", "03")
    arms = ("contrasts", "contrasts+fused")  # whatever was trained on, all images are tested
    expected = [(arm, k, c) for arm in arms for k in cases for c in SINGLE + FUSED]
    assert sorted(keys) == sorted(expected)
    assert volumes["dice"].between(0, 1).all()
    spine = rows[rows["target"] == "spine"]
    assert sorted(spine["case"]) == ["01", "02", "03"] and (spine["contrast"] == "all").all()
    tested = {case: fold.number for fold in finished.folds for case in fold.test}
    assert all(tested[row.case] == row.fold for row in rows.itertuples())
    discs = rows[rows["scope"] == "disc"]
    assert len(discs) and set(discs["level"]) <= set(metrics_levels()) | {""}


def metrics_levels():
    from ivdlib.data.discs import LEVELS

    return LEVELS


def test_metrics_csv_is_what_the_trainings_hold(finished):
    written = pd.read_csv(finished.folder / "metrics.csv", dtype={"case": str})
    assert len(written) == len(finished.metrics())
    assert set(written["case"]) == {"01", "02", "03"}
    single = [pd.read_csv(p) for p in (finished.folder / "trainings").glob("*/metrics.csv.gz")]
    assert sum(map(len, single)) == len(written)
    assert sum(f["dice"].sum() for f in single) == pytest.approx(written["dice"].sum(), abs=1e-3)


def test_the_scores_are_those_of_the_saved_weights(finished):
    training = next(t for t in finished.trainings() if t.arm == "with")
    fold = training.fold
    folder = finished.folder / "trainings"
    disc = load_model(folder / hashes.disc_digest(finished, training) / store.WEIGHTS)
    spine = load_model(folder / hashes.spine_digest(finished, fold) / store.WEIGHTS)
    rows = finished.metrics()
    for name in fold.test:
        case = finished.cases[name]
        found = inference.predict_spine(
            spine.model, case.contrasts, spine.passport["factor"], case.spacing
        )
        region = region_of(found, case.shape, case.spacing, (32, 32), 15.0)
        images = fusion.images_of(case.contrasts, SINGLE + FUSED)
        for contrast, probability in inference.predict_images(disc, images, region).items():
            row = rows[
                (rows["case"] == name) & (rows["contrast"] == contrast)
                & (rows["scope"] == "volume") & (rows["trained_on"] == "contrasts+fused")
            ]  # fmt: skip
            dice = metrics.dice(probability >= 0.5, case.discs)
            assert row["dice"].item() == pytest.approx(dice, abs=1e-5)


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


def test_the_tables_are_means_over_the_scans(finished):
    rows = finished.metrics()
    table = pd.read_csv(finished.folder / "tables" / "table3.csv")
    ours = table[table["source"] == "ours"].iloc[0]
    for contrast in SINGLE:
        picked = rows[
            (rows["contrast"] == contrast) & (rows["trained_on"] == "contrasts")
            & (rows["scope"] == "volume")
        ]  # fmt: skip
        assert len(picked) == ours["scans"] == 3
        assert ours[contrast] == pytest.approx(picked["dice"].mean(), abs=1e-5)
    text = (finished.folder / "tables" / "table1.md").read_text(encoding="utf-8")
    assert "phantom, profile test, 3 scans, 2 folds, 1 seed, 3 steps, NOT COMPARABLE" in text


# --- it resumes ----------------------------------------------------------------------------


def test_a_second_run_trains_nothing(again, finished, fits):
    repeated = again()
    run(repeated)
    assert fits == []
    before, after = (e.folder / "metrics.csv" for e in (finished, repeated))
    assert before.read_bytes() == after.read_bytes()


def test_a_training_without_a_record_is_done_again_and_gives_the_same(again, finished, fits):
    repeated = again()
    training = list(repeated.trainings())[2]
    place = repeated.folder / "trainings" / hashes.disc_digest(repeated, training)
    (place / "record.json").unlink()
    run(repeated)
    assert len(fits) == 1 and training.title in fits[0]
    same = "metrics.csv"
    assert (repeated.folder / same).read_bytes() == (finished.folder / same).read_bytes()
    ours, theirs = (
        load_model(folder / "trainings" / place.name / store.WEIGHTS).model.get_weights()
        for folder in (repeated.folder, finished.folder)
    )
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_more_seeds_extend_an_experiment(again, fits):
    more = again(seeds=2)
    rows = run(more)
    assert len(fits) == 4 and all("seed 1" in label for label in fits)
    assert set(rows.loc[rows["target"] == "disc", "seed"].astype(int)) == {0, 1}
    table = pd.read_csv(more.folder / "tables" / "table3.csv")
    assert table.loc[0, "scans"] == 3
    fits.clear()
    fewer = again()
    assert set(run(fewer)["seed"].astype(int)) == {0} and fits == []


def test_fewer_arms_are_a_part_of_it(again, fits):
    rows = run(again(arms=["without"]))
    assert fits == [] and "contrasts+fused" not in set(rows["trained_on"])


def test_a_lost_spine_network_is_trained_again(again, fits):
    """Weights are not committed with the results, and more seeds may be wanted."""
    more = again(seeds=2)
    spine_stage._regions.clear()
    for fold in more.folds:
        (more.folder / "trainings" / hashes.spine_digest(more, fold) / store.WEIGHTS).unlink()
    trial.train(more, list(more.trainings())[-1], "last")
    assert fits == ["spine U-Net, fold 2", "last"]


class PressedKeys(TileSampler):
    """A sampler at which somebody presses Ctrl-C before the second step."""

    def draw(self, step):
        if step == 1:
            raise KeyboardInterrupt
        return super().draw(step)


def test_an_interrupted_training_leaves_no_record_and_is_finished_later(
    again, finished, fits, monkeypatch
):
    stopped = again()
    training = list(stopped.trainings())[1]
    place = stopped.folder / "trainings" / hashes.disc_digest(stopped, training)
    shutil.rmtree(place)
    with monkeypatch.context() as patch:
        patch.setattr(trial, "TileSampler", PressedKeys)
        with pytest.raises(KeyboardInterrupt):
            run(stopped)
    assert not (place / "record.json").exists() and not (place / store.WEIGHTS).exists()
    assert not list(stopped.folder.rglob(".part-*"))
    run(again())
    assert len(fits) == 2 and fits[0] == fits[1]
    assert contents(stopped.folder) == contents(finished.folder)
    same = "metrics.csv"
    assert (stopped.folder / same).read_bytes() == (finished.folder / same).read_bytes()


def test_an_interruption_while_scoring_does_not_cost_the_training(again, finished, monkeypatch):
    stopped = again()
    training = next(stopped.trainings())
    place = stopped.folder / "trainings" / hashes.disc_digest(stopped, training)
    shutil.rmtree(place)

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trial.metrics, "dice", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(stopped)
    assert contents(place) == ["checkpoint.h5"]
    monkeypatch.setattr(TileSampler, "draw", interrupted)
    run(again())
    assert contents(stopped.folder) == contents(finished.folder)


# --- it refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"training__steps": 7}, "training.steps: 3 there, 7 here"),
        ({"spine__margin": 4.0}, "spine.margin: 15.0 there, 4.0 here"),
        ({"training__tile": [32, 16]}, "training.tile: .*32, 32.* there, .*32, 16.* here"),
        ({"folds": 3}, "profile.folds: 2 there, 3 here"),
    ],
)
def test_another_configuration_under_the_same_name(again, finished, change, words):
    before = (finished.folder / "record.json").read_bytes()
    with pytest.raises(ConfigError, match=f"holds an experiment with another conf.*{words}") as e:
        again(**change)
    assert "choose another name" in str(e.value)
    other = {"training.steps", "spine.margin", "training.tile"} - {next(iter(change)).replace(
        "__", ".")}  # fmt: skip
    assert not any(field in str(e.value) for field in other)
    assert (finished.folder / "record.json").read_bytes() == before


def altered(source, target, names):
    """Copy a data set; scans in `names` become those of somebody else, upside down."""
    shutil.copytree(source, target)
    for name in names:
        for path in (target / name).glob("*.nii.gz"):
            image = nib.load(path)
            data = np.asarray(image.dataobj)[:, ::-1, ::-1]
            if "Labels" not in path.name and "Spine" not in path.name:
                data = (data // 2 + data.max() // 5).astype(data.dtype)
            nib.save(nib.Nifti1Image(np.ascontiguousarray(data), None, image.header), path)
    return target


def test_a_name_is_free_until_something_is_trained(phantom, tmp_path):
    """After a start that failed, the mended experiment takes its place."""
    begin(tmp_path, phantom)
    assert begin(tmp_path, phantom, training__steps=4).profile.training.steps == 4
    record = files.read_json(tmp_path / "grid" / "record.json")
    assert record["config"]["profile"]["training"]["steps"] == 4
    files.write_text(tmp_path / "grid" / "trainings" / "0" / "checkpoint.h5", "begun")
    with pytest.raises(ConfigError, match="another configuration"):
        begin(tmp_path, phantom)


def test_a_record_that_is_none(phantom, tmp_path):
    files.write_json(tmp_path / "grid" / "record.json", [])
    with pytest.raises(DataError, match="record.json is no record of an experiment .*; remove it"):
        begin(tmp_path, phantom)


def test_nothing_to_train(phantom, tmp_path):
    nothing = begin(tmp_path, phantom, networks=[], training__tile=[112, 128])
    assert plan.plan(nothing)["left"].sum() == 0
    with pytest.raises(ConfigError, match="nothing to train"):
        run(nothing)


def test_other_data_under_the_same_name(again, phantom, tmp_path):
    again()
    other = altered(phantom, tmp_path / "other", ["02"])
    with pytest.raises(ConfigError, match=r"another configuration \(data\)"):
        Experiment("grid", "test", other, overrides=QUICK, reports=tmp_path)


def test_a_broken_record_is_named(again):
    folder = again().folder
    (folder / "record.json").write_text("{")
    with pytest.raises(DataError, match=r"record\.json is not valid JSON"):
        again()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "...", "a/b", "../a", "a\\b", "a:b", "a*", 'a"b', "a|b", "a\nb", "a\x1b[2J",
     "x" * 300, "\N{BONE}" * 60, "-a", ".a", " a", "a ", "a.", "con", "NUL.txt", "a\u202eb",
     "\uff53moke", "a\0b"],
)  # fmt: skip
def test_names_that_are_no_folder(name, phantom, tmp_path):
    with pytest.raises(ConfigError, match="is no name for an experiment"):
        begin(tmp_path, phantom, name=name)
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_a_folder():
    for name in ("smoke", "Versuch_1 – zweiter", "größe-ä", "实验", "console", "a.b", "x" * 100):
        assert sound_name(name) == name


def test_a_profile_that_does_not_fit_touches_nothing(phantom, tmp_path):
    with pytest.raises(ConfigError, match="unknown profile"):
        Experiment("a", "huge", phantom, reports=tmp_path)
    with pytest.raises(ConfigError, match="unknown field"):
        begin(tmp_path, phantom, training__step=3)
    with pytest.raises(DataError):
        begin(tmp_path, tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_results_before_a_run(phantom, tmp_path):
    with pytest.raises(DataError, match="holds no results yet"):
        collect(begin(tmp_path, phantom))


def test_a_split_from_a_file(phantom, tmp_path):
    split = tmp_path / "split.csv"
    split.write_text("case,fold\n01,1\n02,2\n03,2\n")
    made = Experiment(
        "a", "test", phantom, overrides=QUICK, reports=tmp_path / "reports", split=split
    )
    assert [fold.test for fold in made.folds] == [("01",), ("02", "03")]
    same = tmp_path / "same"
    shutil.copytree(phantom, same)
    table = pd.read_csv(same / "subjects.csv", dtype=str)
    table.loc[table["case"] == "02", "subject"] = table.loc[table["case"] == "01", "subject"].item()
    table.to_csv(same / "subjects.csv", index=False)
    with pytest.raises(LeakageError, match="patient 1 stands in training and test"):
        Experiment("b", "test", same, overrides=QUICK, reports=tmp_path / "reports", split=split)
    assert not (tmp_path / "reports" / "b").exists()


def test_scores_take_the_patients_from_the_table_as_it_is_now(phantom, tmp_path):
    """`subjects.csv` may be corrected; the folds here are those of a file and stay."""
    same, split = tmp_path / "same", tmp_path / "split.csv"
    shutil.copytree(phantom, same)
    split.write_text("case,fold\n01,1\n02,2\n03,3\n")

    def made():
        options = {**QUICK, "arms": ["without"], "spine.region": "none"}
        return Experiment("a", "test", same, overrides=options, reports=tmp_path, split=split)

    assert set(run(made())["subject"]) == {"1", "2", "3"}
    table = pd.read_csv(same / "subjects.csv", dtype=str).replace({"subject": {"3": "Anna"}})
    table.to_csv(same / "subjects.csv", index=False)
    again = made()
    collect(again)
    assert set(pd.read_csv(again.folder / "metrics.csv")["subject"]) == {"1", "2", "Anna"}
    assert files.read_json(again.folder / "record.json")["cases"]["03"]["subject"] == "Anna"


# --- no test patient reaches a training -----------------------------------------------------


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


def weights_of(made, training):
    """Weights and learning curves of a training and of its spine network."""
    trial.train(made, training, "training")
    found = []
    for digest in (hashes.spine_digest(made, training.fold), hashes.disc_digest(made, training)):
        place = made.folder / "trainings" / digest
        found += load_model(place / store.WEIGHTS).model.get_weights()
        found.append(pd.read_csv(place / "history.csv")["loss"].to_numpy())
    return found


def test_what_the_test_patients_look_like_changes_no_weight(finished, phantom, tmp_path):
    """And, so that this means something, what a training patient looks like does."""
    training = next(t for t in finished.trainings() if t.arm == "with")
    reference = weights_of(finished, training)
    for names, equal in ((training.fold.test, True), (training.fold.train[:1], False)):
        other = altered(phantom, tmp_path / f"data{equal}", names)
        made = begin(tmp_path / f"reports{equal}", other)
        fold = made.folds[training.fold.number - 1]
        assert fold.test == training.fold.test
        ours = weights_of(made, Training("unet", "with", fold, 0))
        same = [np.array_equal(a, b) for a, b in zip(ours, reference, strict=True)]
        assert all(same) == equal


def test_random_mixtures_are_an_arm_of_their_own(phantom, tmp_path, fits):
    made = begin(tmp_path, phantom, arms=["random"], stress=["blurred", "noisy"])
    first, second = (made.training_images("random", case, 0) for case in ("01", "02"))
    assert first[:4] == second[:4] == SINGLE and len(set(first + second)) == 4 + 4 + 4
    rows = run(made)
    assert set(rows["trained_on"][rows["target"] == "disc"]) == {"contrasts+random"}
    assert sum("random mixtures" in label for label in fits) == 2
    # Test images made worse are scored apart, so that no table takes them for what they are not.
    for kind in ("blurred", "noisy"):
        worse = rows[rows["scope"] == kind]
        assert sorted(worse["contrast"].unique()) == sorted(SINGLE + FUSED)
        assert len(worse) == 3 * 8 and worse["dice"].between(0, 1).all()


def test_the_quiet_arm_differs_in_nothing_but_the_random_pixels(phantom, tmp_path):
    made = begin(tmp_path, phantom, arms=["with", "quiet", "without"])
    listed = list(made.trainings())
    assert [t.arm for t in listed] == ["with", "without"] * 2 + ["quiet"] * 2  # compiled together
    assert made.options("with") == made.options("without") == made.profile.training
    quiet = made.options("quiet")
    assert quiet.noise_probability == 0 and made.options("with").noise_probability > 0
    assert made.training_images("quiet", "01") == made.training_images("with", "01")
    fields = {t.arm: hashes.disc_fields(made, t) for t in listed}
    differ = {k for k in fields["with"] if fields["with"][k] != fields["quiet"][k]}
    assert differ <= {"arm", "options", "train", "test", "region"}  # the folds are others, too


def test_one_mask_a_scan_from_all_images(phantom, tmp_path):
    """From the mean probability of the arms' images, or from all contrasts as channels."""
    options = {"arms": ["without", "stacked"], "training.neighbours": 1, "stress": ["noisy"]}
    options["spine.region"] = "true"  # else the network of the spine is compiled between the two
    made = begin(tmp_path, phantom, **options)
    rows = run(made)
    together = rows[rows["scope"] == trial.TOGETHER]
    assert together.groupby("trained_on")["case"].nunique().to_dict() == {
        "contrasts": 3, "contrasts as channels": 3
    }  # fmt: skip
    assert set(together["contrast"]) == {trial.TOGETHER}
    stacked = rows[rows["trained_on"] == "contrasts as channels"]
    assert set(stacked["scope"]) == {trial.TOGETHER, "noisy"}
    for training in made.trainings():
        network = load_model(hashes.place_of(made, training) / store.WEIGHTS)
        assert network.passport["neighbours"] == 1
        assert network.model.input_shape[-1] == (12 if training.arm == "stacked" else 3)
        for name in training.fold.test:  # as `ivdlib predict` finds it
            case = made.cases[name]
            where = spine_stage.regions_once(made, training.fold)[name]
            names = made.trained_on(training.arm)
            found = inference.predict_images(
                network, fusion.images_of(case.contrasts, names, 1), where
            )
            mask = np.mean(list(found.values()), axis=0) >= inference.THRESHOLD
            mine = together[together["trained_on"] == ARMS[training.arm]]
            assert mine.set_index("case")["dice"][name] == pytest.approx(
                metrics.dice(mask, case.discs), abs=1e-6
            )


def test_a_variant_is_the_network_without_an_idea(phantom, tmp_path):
    made = begin(tmp_path, phantom, networks=["fds_cnn:no_aspp"], arms=["without"])
    training = next(made.trainings())
    assert training.title == "FDS-CNN, no aspp, without fusion, fold 1, seed 0"
    assert hashes.disc_fields(made, training)["config"]["aspp_rates"] == []
    config = hashes.config(made, training.network, "tiny")
    engine = store.trainer(training.network, config, made.tile, made.options(training.arm))
    assert engine.network == "fds_cnn"  # what the weights' passport says
    whole = networks.build("fds_cnn", "tiny", (32, 32, 1))
    assert engine.model.count_params() < whole.count_params()
    with pytest.raises(ConfigError, match="no variant 'no_asp'"):
        begin(tmp_path, phantom, "b", networks=["fds_cnn:no_asp"])


def test_an_inner_experiment_leaves_the_test_patients_alone(phantom, tmp_path):
    outer = begin(tmp_path, phantom, "outer", folds=3)
    inner = begin(tmp_path, phantom, "inner", folds=3, inner=True)
    assert "INNER PATIENTS" in inner.label() and "INNER" not in outer.label()
    for ours, fold in zip(inner.folds, outer.folds, strict=True):
        assert sorted(ours.train + ours.test) == sorted(fold.train)
    with pytest.raises(ConfigError, match="trains on one patient"):
        begin(tmp_path, phantom, "few", inner=True)  # one of the two folds trains on one patient


# --- regions, hashes, other data ------------------------------------------------------------


def test_the_region_can_be_the_true_spine_or_nothing(phantom, tmp_path, fits):
    true = begin(tmp_path, phantom, "true", spine__region="true", spine__margin=5.0)
    fold = true.folds[0]
    for name, region in spine_stage.regions(true, fold).items():
        spine = true.cases[name].spine
        assert region.mask[spine].all() and not region.mask.all()
    placed = begin(tmp_path, phantom, "placed", spine__region="true", spine__mask=False)
    for name, region in spine_stage.regions(placed, fold).items():  # a band, nothing set to zero
        assert region.mask is None
        assert region.window == spine_stage.regions(true, fold)[name].window
    none = begin(tmp_path, phantom, "none", spine__region="none")
    assert spine_stage.regions(none, fold) == {n: Region(None, (0, 64)) for n in none.cases}
    large = begin(tmp_path, phantom, "large", training__tile=[64, 64])
    assert not large.uses_region
    assert hashes.disc_fields(large, next(large.trainings()))["region"] is None
    assert fits == []


def test_a_spine_network_that_finds_nothing_is_said(phantom, tmp_path, monkeypatch):
    made = begin(tmp_path, phantom, "nothing")
    monkeypatch.setattr(spine_stage, "network", lambda *_: SimpleNamespace(model=None))
    empty = sorted(made.cases)[:2]
    monkeypatch.setattr(
        spine_stage, "find",
        lambda model, experiment, case: np.full(case.shape, case.name not in empty),
    )  # fmt: skip
    with pytest.warns(NothingFound, match="fold 1: the spine network found nothing in 01, 02, so"):
        found = spine_stage.regions(made, made.folds[0])
    assert [found[name].mask is None for name in sorted(made.cases)] == [True, True, False]


def test_how_tiles_are_placed_counts_only_if_they_are(phantom, tmp_path):
    """The new draw is always in the hash; the old one is what silence means."""
    even, old = (
        begin(tmp_path, phantom, name, training__placement=name) for name in ("even", "clipped")
    )
    first = next(even.trainings())
    assert hashes.disc_fields(even, first)["options"]["placement"] == "even"
    assert "placement" not in hashes.disc_fields(old, first)["options"]
    assert (
        hashes.disc_digest(even, first) != hashes.disc_digest(old, first)
        and even.digest != old.digest
    )
    alike = [
        begin(tmp_path, phantom, f"{name}_whole", training__tile=[64, 64], training__placement=name)
        for name in ("even", "clipped")
    ]
    assert alike[0].digest == alike[1].digest and alike[0].config == alike[1].config
    assert len({hashes.disc_digest(made, first) for made in alike}) == 1


def test_the_tolerance_of_a_region_counts_only_if_there_is_one(phantom, tmp_path):
    """As above: rounding decided before, which is what silence means."""
    made = [
        begin(tmp_path, phantom, name, spine__tolerance=value)
        for name, value in (("new", 1e-4), ("old", 0.0))
    ]
    first = next(made[0].trainings())
    assert [hashes.disc_fields(one, first)["region"].get("tolerance") for one in made] == [
        1e-4,
        None,
    ]
    assert made[0].digest != made[1].digest
    digests = {hashes.spine_digest(one, one.folds[0]) for one in made}
    assert len(digests) == 1  # the network does not depend on what is done with its mask
    for other in ({"training__tile": [64, 64]}, {"spine__region": "none"}):
        alike = [
            begin(
                tmp_path, phantom, f"{next(iter(other))}{value:g}", **other, spine__tolerance=value
            )
            for value in (1e-4, 0.0)
        ]
        assert alike[0].digest == alike[1].digest and alike[0].config == alike[1].config
        assert len({hashes.disc_digest(one, first) for one in alike}) == 1


def test_a_hash_depends_on_what_decides_and_on_nothing_else(finished, phantom, tmp_path):
    first = next(finished.trainings())
    same = begin(tmp_path, phantom, "other_name", seeds=3, arms=["with"])
    digest = hashes.disc_digest(finished, first)
    assert hashes.disc_digest(same, first) == digest
    found = {digest}
    found.add(hashes.disc_digest(finished, Training("unet", first.arm, first.fold, 1)))
    found.add(hashes.disc_digest(finished, Training("unet", "without", first.fold, 0)))
    found.add(hashes.disc_digest(finished, Training("fds_cnn", first.arm, first.fold, 0)))
    found.add(hashes.disc_digest(finished, Training("unet", first.arm, finished.folds[1], 0)))
    for number, change in enumerate(
        ({"training__steps": 9}, {"spine__margin": 1.0}, {"spine__steps": 9},
         {"spine__region": "true"}, {"spine__mask": False}, {"score_discs": False})
    ):  # fmt: skip
        found.add(hashes.disc_digest(begin(tmp_path, phantom, f"e{number}", **change), first))
    assert len(found) == 11
    # What is done with the spine's mask leaves the network that finds it alone.
    other = begin(tmp_path, phantom, "margin", spine__margin=1.0, spine__mask=False)
    fold = first.fold
    assert hashes.spine_digest(other, fold) == hashes.spine_digest(finished, fold)


def in_memory(name, subject, contrasts=("t2",), seed=0):
    rng = np.random.default_rng([seed, ord(subject)])
    labels = (rng.random((2, 20, 24)) < 0.2).astype(np.uint8)
    images = {c: (labels + rng.random(labels.shape)).astype(np.float32) for c in contrasts}
    return Case(name, subject, images, np.diag([2.0, 1, 1, 1]), labels=labels)


def test_a_single_contrast_has_no_arm_with_fusion(tmp_path, monkeypatch):
    cases = [in_memory(f"c{s}", s) for s in "ABC"]
    monkeypatch.setattr(experiment_module, "load_cases", lambda folder, **options: cases)
    made = begin(tmp_path, tmp_path, training__tile=[112, 128])
    assert made.contrasts == ("t2",) and made.fused == () and made.tile == (20, 24)
    assert [t.arm for t in made.trainings()] == ["without", "without"]
    rows = run(made)
    assert set(rows["contrast"]) == {"t2"} and set(rows["target"]) == {"disc"}
    assert [p.name for p in sorted((made.folder / "tables").iterdir())] == [
        "table1.csv",
        "table1.md",
    ]


def test_contrasts_stand_in_the_order_of_the_tables(tmp_path, monkeypatch):
    cases = [in_memory(f"c{s}", s, ("t2", "opp", "inn", "wat", "fat")) for s in "AB"]
    monkeypatch.setattr(experiment_module, "load_cases", lambda folder, **options: cases)
    made = begin(tmp_path, tmp_path)
    assert made.training_images("without", "01") == (*SINGLE, "t2")
    assert made.training_images("with", "01") == made.images == (*SINGLE, "t2", *FUSED)


def test_without_data_the_phantom_of_the_profile_is_made(tmp_path, monkeypatch):
    asked = []

    def made(folder, **options):
        asked.append((folder, options))

    cases = [in_memory(f"c{s}", s, SINGLE) for s in "AB"]
    monkeypatch.setattr("ivdlib.phantom.make_phantom", made)
    monkeypatch.setattr(experiment_module, "load_cases", lambda folder, **options: cases)
    monkeypatch.setattr(experiment_module, "data_folder", lambda: tmp_path / "data")
    new = Experiment("a", "test", reports=tmp_path)
    folder, options = asked[0]
    assert folder == tmp_path / "data" / f"phantom{VERSION}-4x1x2-seed0" and new.is_phantom
    assert (options["subjects"], options["slices"], options["seed"]) == (4, 2, 0)
    assert options["conditions"] == Conditions(swap=0.0)
    Experiment("b", "test", reports=tmp_path, overrides={"phantom.swap": 0.5})
    folder, options = asked[1]
    assert folder.name.endswith("-swap0.5") and options["conditions"].swap == 0.5
    assert files.read_json(new.folder / "record.json")["phantom"] is True
    assert new.label().startswith("phantom, profile test")


def test_references_are_scored_once_and_stand_in_table_1(finished, phantom, tmp_path, monkeypatch):
    made = begin(tmp_path, phantom)
    for fold in made.folds:
        trial.references(made, fold)
    rows = made.metrics()
    volumes = rows[rows["scope"] == "volume"]
    names = set(baselines.ROWS)
    assert set(volumes["network"]) == names and (volumes["size"] == "-").all()
    assert len(volumes) == len(names) * len(SINGLE) * 3
    monkeypatch.setattr(trial.baselines, "reference_predictions", None)
    for fold in made.folds:
        trial.references(made, fold)
    collect(made)
    table = pd.read_csv(made.folder / "tables" / "table1.csv")
    assert set(table.loc[table["source"] == "ours", "network"]) == names
    record = json.loads(
        (made.folder / "trainings" / hashes.reference_digest(made, made.folds[0]) / "record.json")
        .read_text()
    )  # fmt: skip
    assert record["target"] == "reference" and record["fold"] == 1


def test_trainers_are_kept_for_the_next_training(finished):
    options = finished.profile.training
    config = unet.SIZES["tiny"]
    one = store.trainer("unet", config, (32, 32), options)
    assert store.trainer("unet", config, (32, 32), options) is one
    other = UNetConfig(base=1, levels=1)
    two = store.trainer("unet", other, (32, 32), options)
    assert store.trainer("unet", config, (32, 32), options) is one
    assert store.trainer("unet", other, (32, 32), options) is two and len(store._trainers) == 2


def test_a_tube_around_the_discs_stands_for_an_unlabelled_spine():
    case = SimpleNamespace(spine=None, discs=np.zeros((12, 40, 60), bool), spacing=(4.0, 2.0, 2.0))
    case.discs[4:8, 15:25, 20:24] = True
    case.discs[4:8, 15:25, 40:44] = True
    tube = spine_stage.truth(case)
    assert tube[case.discs].all() and tube[6, 20, 30] and not tube.all()
    case.spine = case.discs
    assert spine_stage.truth(case) is case.discs
