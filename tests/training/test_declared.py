"""Declared experiments: what a file says, what is refused, where its data are looked for."""

from types import SimpleNamespace

import pytest

from ivdlib import cli, profiles
from ivdlib.cli import grid
from ivdlib.errors import ConfigError, DataError
from ivdlib.training import declared, recipes


def write(tmp_path, text, name="mine.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file(tmp_path, monkeypatch):
    path = write(
        tmp_path,
        'about = "Crops."\ndata = "scans"\nprofile = "smoke"\n[set]\nseeds = 3\n'
        '"training.steps" = 7\narms = ["with", "random"]\n',
    )
    found = declared.load(path)
    assert (found.name, found.about, found.profile) == ("mine", "Crops.", "smoke")
    assert found.overrides == {"seeds": 3, "training.steps": 7, "arms": ["with", "random"]}
    with pytest.raises(DataError, match="scans of experiment mine are not there"):
        found.folders()
    (tmp_path / "scans").mkdir()
    monkeypatch.setenv("IVDLIB_DATA", str(tmp_path))
    assert found.folders() == [tmp_path / "scans"]


def test_outside_a_checkout_those_that_come_with_ivdlib_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "benchmarks/audit/crops.toml"
    assert declared.load(name).data == ("ivdm3seg_crops",)
    mine = tmp_path / name
    mine.parent.mkdir(parents=True)
    mine.write_text('data = "mine"')
    assert declared.load(name).data == ("mine",)  # one's own goes first
    with pytest.raises(ConfigError, match="benchmarks/none.toml"):
        declared.load("benchmarks/none.toml")


def test_several_folders_are_one_set_of_scans(tmp_path, monkeypatch):
    found = declared.load(write(tmp_path, 'data = ["slabs", "slabs_2"]\n'))
    for name in ("slabs", "slabs_2"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("IVDLIB_DATA", str(tmp_path))
    assert found.folders() == [tmp_path / "slabs", tmp_path / "slabs_2"]
    with pytest.raises(ConfigError, match="takes each once"):
        declared.load(write(tmp_path, 'data = ["slabs", "slabs"]\n'))
    with pytest.raises(ConfigError, match="is empty; name a folder"):
        declared.load(write(tmp_path, 'data = ["slabs", ""]\n'))


def test_an_empty_file_is_the_phantom_at_length(tmp_path):
    found = declared.load(write(tmp_path, ""))
    assert found.profile == "laptop" and not found.folders() and not found.overrides


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profile = ", "cannot be read as an experiment"),
        (
            'profiles = "laptop"',
            "mine.toml: .* has no field profiles; known are about, profile, data, recipe, set",
        ),
        ("profile = 3", "mine.toml: field profile of .* takes a text, not 3"),
        ('profile = "huge"', "mine.toml: unknown profile 'huge'"),
        ('recipe = "best"', "mine.toml: unknown recipe 'best'; known are paper, better"),
        ("[set]\nseedz = 3", "mine.toml: unknown field 'seedz'"),
        (
            '[set]\narms = ["both"]',
            "mine.toml: field arms of Profile takes a list .* with, without, .*, not 'both'",
        ),
        (
            '[set]\nseeds = "3"',
            "mine.toml: field seeds of Profile takes a whole number, .*, not '3' .a text",
        ),
        (
            '[set]\nnetworks = "unet"',
            "field networks of Profile takes a list, .*, not 'unet' .a text",
        ),
        (
            "[set]\ntraining = 3",
            "unknown field 'training' of a profile; known are .*training.steps",
        ),
        ('data = ""', "mine.toml: field data of .* is empty; name a folder, or leave data out"),
        ("x = " + "[" * 3000, "cannot be read as an experiment"),
        (
            "[set]\nseeds = 1" + "0" * 400,
            "field seeds of Profile takes a whole number, .* at most 1000, not 1000",
        ),
        (
            "[set]\nspine.tolerance = 1" + "0" * 400,
            "field spine.tolerance of Profile takes a number, .* at most 0.1",
        ),
        (
            "[set]\ntraining.learning_rate = inf",
            "field training.learning_rate of Profile takes a number, .* at most 1e.09, not inf",
        ),
        (
            "[set]\ntraining.tile = [64, 1" + "0" * 30 + "]",
            "field training.tile of Profile takes .* at most 1e.09 .*, not 1000",
        ),
        ("[set]\nseeds = 1_000_000", "mine.toml: .*seeds of Profile .* at most 1000, not 1000000"),
        ("[set]\nseeds = " + "9" * 5000, "cannot be read as an experiment"),
        ("." * 100_000 + " = 1", "more than 20,000 letters, so it declares no experiment"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        declared.load(write(tmp_path, text))


def test_a_recipe_sets_fields_that_the_file_may_override(tmp_path):
    text = 'recipe = "better"\n[set]\n"training.average" = 0.9'
    found = declared.load(write(tmp_path, text)).overrides
    raised = {"spine.steps": 800}  # of laptop's 600
    assert found == {**recipes.RECIPES["better"], **raised, "training.average": 0.9}
    plain = declared.load(write(tmp_path, text), "paper")
    assert plain.overrides == {"training.average": 0.9}  # as ivdlib grid --recipe paper


@pytest.mark.parametrize(("line", "steps"), [
    ("--profile smoke --recipe better", 800),
    ("--profile paper --recipe better", 1500),
    ("--profile smoke --recipe better --set spine.steps=90", 90),
    ("--profile smoke", 70),
    ("--experiment FILE", 1500),
    ("--experiment FILE --profile smoke", 800),
    ("--experiment FILE --profile smoke --recipe paper", 70),
])  # fmt: skip
def test_a_recipe_holds_what_it_says_in_the_profile_that_is_asked_for(tmp_path, line, steps):
    path = write(tmp_path, 'recipe = "better"\nprofile = "paper"')
    args = cli._parser().parse_args(["grid", *line.replace("FILE", str(path)).split()])
    wanted = grid._declared(args)
    found = profiles.profile(wanted.profile, wanted.overrides)
    assert found.spine.steps == steps
    told = wanted.short_of(SimpleNamespace(profile=found, uses_spine_network=True))
    assert len(told) == (steps == 90) and all("800" in sentence for sentence in told)
    assert wanted.short_of(SimpleNamespace(profile=found, uses_spine_network=False)) == []


@pytest.mark.parametrize("text", [
    "[set]\ntraining.steps = 5\nspine.factor = 1",
    "[set.training]\nsteps = 5\n[set.spine]\nfactor = 1",
    '[set]\n"training.steps" = 5\n"spine.factor" = 1',
])  # fmt: skip
def test_fields_are_named_in_any_of_the_ways_of_toml(tmp_path, text):
    found = declared.load(write(tmp_path, text))
    assert found.overrides == {"training.steps": 5, "spine.factor": 1}


def test_a_file_of_windows(tmp_path):
    (tmp_path / "mark.toml").write_bytes("\ufeffabout = 'ä'".encode())
    assert declared.load(tmp_path / "mark.toml").about == "ä"
    (tmp_path / "latin.toml").write_bytes("about = 'ä'".encode("latin-1"))
    with pytest.raises(ConfigError, match="latin.toml is not text in UTF-8; save it as UTF-8"):
        declared.load(tmp_path / "latin.toml")


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot read .*none.toml: No such file"):
        declared.load(tmp_path / "none.toml")
