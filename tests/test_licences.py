"""One statement on licences wherever somebody looks: code MIT, text and figures CC BY 4.0."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SITE = "notebooks/bindery/site/templates"
SAYS_BOTH = (
    *("README.md", "CITATION.cff", "notebooks/LICENSE"),
    *(f"{SITE}/page.html", f"{SITE}/front.html", f"{SITE}/README.md"),
)


@pytest.mark.parametrize("name", SAYS_BOTH)
def test_both_licences_are_named(name):
    text = " ".join(re.sub(r"<[^>]+>|[*\]\[]", "", (ROOT / name).read_text("utf-8")).split())
    assert re.search(r"text and figures.{,120}CC BY 4\.0", text, re.IGNORECASE)
    assert re.search(r"\bcode\b.{,40}\bMIT\b", text, re.IGNORECASE)


def test_the_package_is_under_the_licence_of_its_code_and_brings_both():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert project["license"] == citation["license"] == "MIT"
    assert project["license-files"] == ["LICENSE", "notebooks/LICENSE"]
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in project["license-files"]]
    assert texts[0].startswith("MIT License")
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in texts[1]
