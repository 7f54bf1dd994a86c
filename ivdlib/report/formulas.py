"""Formulas as pictures: no browser without a network, and no PDF, draws LaTeX by itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup, NavigableString, Tag

if TYPE_CHECKING:
    import ziamath

MATH = re.compile(
    r"\$\$(?P<display>.{1,4000}?)\$\$|\\\[(?P<bracket>.{1,4000}?)\\\]"
    r"|\\\((?P<paren>.{1,4000}?)\\\)|(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]{0,4000}[^\s$\\])?)\$(?![\d$])"
    r"|(?P<alone>\\begin\{(?P<kind>(?:equation|align|gather|multline)\*?)\}.{1,4000}?\\end\{(?P=kind)\})",
    re.DOTALL,
)
"""LaTeX as notebooks write it; `$5 and $6` is money. What is longer was never closed."""

MOST, LETTERS = 1000, 50_000
"""Formulas of a notebook that are drawn, and letters of all of them."""
MATHML = "mathml"
"""Class of the code that a formula in MathML is until it is drawn."""

VERBATIM = ("code", "pre", "script", "style", "textarea")
SIZE = 15.0
"""Of the letters, in pixels of the page."""


def draw_formula(soup: BeautifulSoup) -> None:
    """Put a picture (SVG, its LaTeX as alternative text) in place of every formula.

    Parameters
    ----------
    soup : BeautifulSoup
        Changed in place; code and printed output are left alone. LaTeX that cannot be drawn is set
        as code, without its dollars; so is what comes after `MOST` formulas, and the page says so.
    """
    left = [MOST, LETTERS]

    def drawn(source: str, block: bool = False, mathml: bool = False) -> Tag:
        before, left[0], left[1] = min(left), left[0] - 1, left[1] - len(source)
        if min(left) >= 0:
            return _picture(soup, source, block, mathml)
        code = _code(soup, source)
        if before < 0:
            return code
        outer, note = soup.new_tag("span"), soup.new_tag("span", attrs={"class": "note"})
        note.string = f" (From here on formulas stand as code: a page draws {MOST:,} at most.)"
        outer.extend([code, note])
        return outer

    for code in soup.find_all("code", class_=MATHML):
        code.replace_with(drawn(code.get_text(), mathml=True))
    for text in list(soup.find_all(string=MATH)):
        if any(parent.name in VERBATIM for parent in text.parents):
            continue
        text.replace_with(*_pieces(str(text), drawn))


def _pieces(text: str, drawn: Callable[[str, bool], Tag]) -> list[NavigableString | Tag]:
    found, end = [], 0
    for match in MATH.finditer(text):
        found.append(NavigableString(text[end : match.start()]))
        groups = match.groupdict()
        block = groups["display"] or groups["bracket"] or groups["alone"]
        found.append(drawn(block or groups["paren"] or groups["inline"], bool(block)))
        end = match.end()
    return [*found, NavigableString(text[end:])]


def _code(soup: BeautifulSoup, source: str) -> Tag:
    code = soup.new_tag("code")
    code.string = source.strip()
    return code


def _picture(soup: BeautifulSoup, latex: str, block: bool, mathml: bool) -> Tag:
    import ziamath

    latex = latex.strip()
    try:
        if mathml:
            return _from_mathml(latex)
        picture = _drawn(ziamath.Latex(latex, size=SIZE, inline=not block), latex)
    except MemoryError:
        raise
    except Exception:  # its parser fails in many ways, with errors of many kinds
        return _code(soup, latex)
    if not block:
        return picture
    outer = soup.new_tag("span", attrs={"class": "display"})
    outer.append(picture)
    return outer


def _from_mathml(text: str) -> Tag:
    """The picture of a formula in MathML; raises errors of many kinds if it cannot be drawn."""
    import ziamath

    formula = ziamath.Math(text, size=SIZE)
    return _drawn(formula, " ".join(BeautifulSoup(text, "html.parser").get_text(" ").split()))


def _drawn(formula: ziamath.Math, alt: str) -> Tag:
    if not all(letter.isascii() or formula.font.glyphindex(letter) for letter in alt):
        raise ValueError("the font of formulas would show boxes; those of the page may not")
    picture = image(formula.svg(), alt)
    (_, height), below = formula.getsize(), formula.getyofst()
    picture["class"] = "formula"
    picture["style"] = f"height: {height / 16:.3f}rem; vertical-align: {below / 16:.3f}rem"
    return picture


def image(svg: str, alt: str) -> Tag:
    """An SVG as an image, within which nothing runs and nothing is fetched."""
    source = base64.b64encode(svg.encode()).decode("ascii")
    return Tag(name="img", attrs={"src": f"data:image/svg+xml;base64,{source}", "alt": alt},
               can_be_empty_element=True)  # fmt: skip
