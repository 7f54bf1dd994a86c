"""The grid: what it writes, that it resumes, and that no test patient reaches a training."""

import gzip
import shutil

import pandas as pd
import pytest
from quick_experiment import QUICK, SINGLE, altered, begin, contents, in_memory

from ivdlib import files
from ivdlib.errors import ConfigError, DataError, DataWarning, LeakageError
from ivdlib.evaluation import recorded
from ivdlib.phantom import VERSION, Conditions
from ivdlib.provenance import sound_name
from ivdlib.report import compare
from ivdlib.report import experiment as report
from ivdlib.report.audit import page as audit_page
from ivdlib.training import experiment as experiment_module
from ivdlib.training import hashes
from ivdlib.training.experiment import Experiment
from ivdlib.training.run import collect, run

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_the_folder_is_that_of_the_design(finished):
    digests = {hashes.disc_digest(finished, t) for t in finished.trainings()}
    digests |= {hashes.spine_digest(finished, fold) for fold in finished.folds}
    assert len(digests) == 2 * 2 + 2  # two folds, with and without fusion; two spine networks
    parts = ("history.csv", "metrics.csv.gz", "model.weights.h5", "record.json")
    expected = ["metrics.csv", "record.json", "tables/exact_labels.csv"]
    expected += ["tables/fused_and_water.csv", "tables/in_short.txt"]
    expected += [f"tables/table{n}.{end}" for n in (1, 2, 3) for end in ("csv", "md")]
    expected += [f"trainings/{digest}/{part}" for digest in digests for part in parts]
    assert contents(finished.folder) == sorted(expected)


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
    assert recorded.changed(folder) == [] and "CHANGED" not in report.render_report(folder)

    scores = pd.read_csv(folder / "metrics.csv", dtype=str, keep_default_na=False)
    scores.loc[0, "dice"] = "0.99"
    scores.to_csv(folder / "metrics.csv", index=False)
    with pytest.warns(DataWarning, match="metrics.csv changed since the record was written"):
        page = report.render_report(folder)
    assert "CHANGED" in page and "when it was made: metrics.csv" in page
    other = shutil.copytree(folder, tmp_path / "audit" / "other")
    with pytest.warns(DataWarning, match="metrics.csv changed"):
        made_of_two = compare.build_comparison([folder, other], tmp_path / "two")
    assert "CHANGED" in made_of_two["html"].read_text(encoding="utf-8")
    with pytest.warns(DataWarning, match="metrics.csv changed"):
        audit_page.write_audit(tmp_path)
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


def test_scans_of_several_folders_are_those_of_one(finished, phantom, tmp_path):
    parts = [tmp_path / "a", tmp_path / "b"]
    lines = (phantom / "subjects.csv").read_text().splitlines()
    for n, path in enumerate(sorted(p for p in phantom.iterdir() if p.is_dir())):
        place = parts[n % 2]
        shutil.copytree(path, place / path.name)
        shutil.copy(phantom / "dataset.json", place)
        mine = [line for line in lines[1:] if (place / line.split(",")[0]).is_dir()]
        (place / "subjects.csv").write_text("\n".join([lines[0], *mine]) + "\n")
    both = Experiment("grid", "test", parts, overrides=QUICK, reports=tmp_path)
    assert both.digest == finished.digest and both.data_name == "a + b"
    assert list(map(vars, both.trainings())) == list(map(vars, finished.trainings()))
    with pytest.raises(DataError, match="a case 01 lies in several of the folders a \\+ a"):
        Experiment("two", "test", [parts[0], parts[0]], overrides=QUICK, reports=tmp_path)


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
    Experiment("c", "test", reports=tmp_path, overrides={"phantom.in_plane": 128})
    folder, options = asked[2]
    assert folder.name.endswith("-plane128") and options["in_plane"] == 128
    assert files.read_json(new.folder / "record.json")["phantom"] is True
    assert new.label().startswith("phantom, profile test")
