"""Formulas become pictures; money, code and printed output stay what they are."""

import base64
import time

import pytest
from bs4 import BeautifulSoup
from hostile_report import fitted

from ivdlib.report import formulas


def drawn(html: str) -> BeautifulSoup:
    soup = BeautifulSoup(html, "html.parser")
    formulas.draw_formula(soup)
    return soup


@pytest.mark.parametrize(
    ("text", "latex", "block"),
    [
        ("a $x_i^2$ b", "x_i^2", False),
        (r"a \(\alpha\) b", r"\alpha", False),
        (r"$$\frac{2|A \cap B|}{|A| + |B|}$$", r"\frac{2|A \cap B|}{|A| + |B|}", True),
        (r"\[ x = 1 \]", "x = 1", True),
        ("($n$), then", "n", False),
        ("a &lt; b and $a &lt; b$", "a < b", False),
    ],
)
def test_a_formula_is_a_picture_with_its_latex_as_text(text, latex, block):
    soup = drawn(f"<p>{text}</p>")
    (image,) = soup.find_all("img")
    assert image["alt"] == latex
    head, data = image["src"].split(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(data).startswith(b"<svg")
    assert (image.parent.name == "span") == block
    assert "$" not in soup.get_text()
    assert "\\" not in soup.get_text()


def test_the_words_around_stay_in_order():
    text = drawn("<p>one $a$ two <b>three $b$</b> four</p>").get_text()
    assert text.split() == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    "html",
    [
        "<p>It costs $5, not $6.</p>",
        "<p>between $5 and $10</p>",
        r"<p>\$HOME and US$ alone</p>",
        "<pre>echo $PATH $HOME</pre>",
        "<p><code>$a$</code></p>",
    ],
)
def test_what_is_no_formula_is_left_alone(html):
    assert str(drawn(html)) == html


@pytest.mark.parametrize("latex", [r"\frac{a", r"\nosuchthing{x}", "{", r"\begin{foo}"])
def test_latex_that_cannot_be_drawn_stays_readable(latex):
    soup = drawn(f"<p>a ${latex}$ b</p>")
    assert "$" not in soup.get_text()
    assert latex in (soup.get_text() + "".join(i["alt"] for i in soup.find_all("img")))


@pytest.mark.parametrize("formula", ["$x$ ", "<math><mi>x</mi></math> "])
def test_formulas_are_bounded_and_the_page_says_so_once(formula, monkeypatch):
    monkeypatch.setattr("ivdlib.report.formulas.MOST", 5)
    soup = fitted("# A\n\n" + formula * 9)
    assert len(soup.select("img.formula")) == 5 and len(soup.find_all("code")) == 4
    assert soup.get_text().count("From here on formulas stand as code") == 1


def test_an_equation_that_is_never_closed_takes_no_time():
    begun = time.process_time()
    fitted("# A\n\n" + r"\begin{equation} x " * 2000)
    assert time.process_time() - begun < 2
