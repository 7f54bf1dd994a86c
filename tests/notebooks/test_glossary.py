"""The glossary: every term once, in order, short, and leading to a lesson that is there."""

import re
from pathlib import Path

import pytest
import scripts

from ivdlib.course import lesson_versions
from ivdlib.report.lesson_names import lessons_in

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
TEXT = (NOTEBOOKS / lesson_versions.GLOSSARY).read_text(encoding="utf-8")
ENTRIES = {
    term: " ".join(text.split())
    for term, text in re.findall(r"^\*\*(.+?)\*\*: (.*?)(?=\n\n|\n*\Z)", TEXT, re.M | re.S)
}
NEEDED = (
    *("weight", "bias", "sigmoid", "loss", "gradient", "chain rule", "learning rate", "step"),
    *("epoch", "batch", "backpropagation", "seed", "fold", "dixon", "affine", "marrow", "level"),
    *("aspp", "logit", "softmax", "momentum", "receptive field", "batch normalisation", "tile"),
    *("confidence interval", "logistic regression", "threshold", "verdict", "leak", "dilation"),
)


def test_terms_are_in_order_and_none_is_missing():
    terms = [term.casefold() for term in ENTRIES]
    assert terms == sorted(terms) and len(terms) > 80
    assert set(NEEDED) <= set(terms)
    assert len(re.findall(r"^\*\*", TEXT, re.M)) == len(ENTRIES)


@pytest.mark.parametrize("term", ENTRIES)
def test_an_entry_is_short_and_leads_to_a_lesson(term):
    text, lesson = re.fullmatch(r"(.*) \[\d\d[a-z]?\]\((.*)\)", ENTRIES[term]).groups()
    assert NOTEBOOKS / lesson in lessons_in(NOTEBOOKS)
    assert len(re.findall(r"[.!?](?= [A-Z]|\)?$)", text)) <= 2 and len(text) < 330


def test_links_to_it_lead_there_from_lesson_and_exercise():
    build = scripts.load("build")
    source = NOTEBOOKS / "src" / "01b_learning.py"
    assert "](glossary.md)" in build.render_lesson(source)
    assert "](glossary.md)" in build.render_lesson(source, "student")  # `ivdlib start` brings it
