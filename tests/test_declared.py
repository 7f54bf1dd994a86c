"""Declared experiments: what a file says, what is refused, where its data are looked for."""

import pytest

from ivdlib import declared, profiles
from ivdlib.errors import ConfigError, DataError


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
        found.folder()
    (tmp_path / "scans").mkdir()
    monkeypatch.setenv("IVDLIB_DATA", str(tmp_path))
    assert found.folder() == tmp_path / "scans"


def test_an_empty_file_is_the_phantom_at_length(tmp_path):
    found = declared.load(write(tmp_path, ""))
    assert found.profile == "laptop" and found.folder() is None and not found.overrides


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profile = ", "cannot be read as an experiment"),
        (
            'profiles = "laptop"',
            "unknown key 'profiles'; known are about, data, profile, recipe, set",
        ),
        ("profile = 3", "profile is 3, not of type str"),
        ('profile = "huge"', "mine.toml: unknown profile 'huge'"),
        ('recipe = "best"', "mine.toml: unknown recipe 'best'; known are paper, better"),
        ("[set]\nseedz = 3", "mine.toml: unknown field 'seedz'"),
        ('[set]\narms = ["both"]', "mine.toml: profile laptop: arms are some of"),
        ('[set]\nseeds = "3"', "mine.toml: field seeds takes a int"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        declared.load(write(tmp_path, text))


def test_a_recipe_sets_fields_that_the_file_may_override(tmp_path):
    text = 'recipe = "better"\n[set]\n"training.average" = 0.9'
    found = declared.load(write(tmp_path, text)).overrides
    assert found == {**profiles.RECIPES["better"], "training.average": 0.9}
    plain = declared.load(write(tmp_path, text), "paper")
    assert plain.overrides == {"training.average": 0.9}  # as ivdlib grid --recipe paper


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        declared.load(tmp_path / "none.toml")
