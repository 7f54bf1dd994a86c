"""The live page is written into a site, and says what it is without its engine."""

import os
import stat

import pytest
import scripts
from bs4 import BeautifulSoup


@pytest.fixture
def live():
    scripts.installed("onnx")
    return scripts.load("live/live")


def npm_that(folder, script, monkeypatch):
    """A stand-in for npm, alone on the path."""
    path = folder / "npm"
    path.write_text(f"#!{os.path.realpath('/bin/sh')}\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


def test_without_npm_that_is_said(live, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="npm is not installed"):
        live.engine(tmp_path / "cache")


def test_without_a_network_that_is_said(live, tmp_path, monkeypatch):
    npm_that(tmp_path, "exit 1", monkeypatch)
    with pytest.raises(OSError, match="could not bring onnxruntime-web@.*network"):
        live.engine(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_another_package_is_refused(live, tmp_path, monkeypatch):
    name = live.ENGINE.replace("@", "-")
    npm_that(tmp_path, f"echo other > {name}.tgz", monkeypatch)
    for _ in range(2):  # what was kept is looked at again
        with pytest.raises(OSError, match="not the package that was pinned"):
            live.engine(tmp_path / "cache")


@pytest.mark.slow
@pytest.mark.parametrize("asked", [True, False])
def test_the_still_page(live, tmp_path, monkeypatch, capsys, asked):
    def broken():
        raise OSError("npm is not installed (it comes with Node.js)")

    monkeypatch.setattr(live, "engine", broken)
    monkeypatch.setattr(live, "PEOPLE", dict([next(iter(live.PEOPLE.items()))]))
    assert live.main([str(tmp_path), *(["--still"] if asked else [])]) == 0
    said = capsys.readouterr().out.strip()
    assert said == "The live page shows a still picture, " + (
        "as was asked for." if asked else "for npm is not installed (it comes with Node.js)."
    )
    page = BeautifulSoup((tmp_path / "live" / "index.html").read_text("utf-8"), "html.parser")
    picture = page.select_one(".still img")
    assert (tmp_path / "live" / picture["src"]).stat().st_size > 20_000
    assert "Dice 0." in picture["alt"] and page.find("script") is None
    text = page.get_text()
    assert "not for patients" in text and "64 people who never lived" in text and "$" not in text
    assert "SPIDER" in text and "CC BY 4.0" in text
