"""Formulas as pictures: no browser without a network, and no PDF, draws LaTeX by itself."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup, NavigableString, Tag

if TYPE_CHECKING:
    import ziamath

MATH = re.compile(
    r"\$\$(?P<display>.{1,4000}?)\$\$|\\\[(?P<bracket>.{1,4000}?)\\\]"
    r"|\\\((?P<paren>.{1,4000}?)\\\)|(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])"
    r"|(?P<alone>\\begin\{(?P<kind>(?:equation|align|gather|multline)\*?)\}.+?\\end\{(?P=kind)\})",
    re.DOTALL,
)
"""LaTeX as notebooks write it; `$5 and $6` is money. What is longer was never closed."""

VERBATIM = ("code", "pre", "script", "style", "textarea")
SIZE = 15.0
"""Of the letters, in pixels of the page."""


def draw(soup: BeautifulSoup) -> None:
    """Put a picture (SVG, its LaTeX as alternative text) in place of every formula.

    Parameters
    ----------
    soup : BeautifulSoup
        Changed in place; code and printed output are left alone. LaTeX that cannot be drawn is set
        as code, without its dollars.
    """
    for text in list(soup.find_all(string=MATH)):
        if any(parent.name in VERBATIM for parent in text.parents):
            continue
        text.replace_with(*_pieces(soup, str(text)))


def _pieces(soup: BeautifulSoup, text: str) -> list[NavigableString | Tag]:
    found, end = [], 0
    for match in MATH.finditer(text):
        found.append(NavigableString(text[end : match.start()]))
        groups = match.groupdict()
        block = groups["display"] or groups["bracket"] or groups["alone"]
        found.append(_picture(soup, block or groups["paren"] or groups["inline"], bool(block)))
        end = match.end()
    return [*found, NavigableString(text[end:])]


def _picture(soup: BeautifulSoup, latex: str, block: bool) -> Tag:
    import ziamath

    latex = latex.strip()
    try:
        picture = _drawn(ziamath.Latex(latex, size=SIZE, inline=not block), latex)
    except MemoryError:
        raise
    except Exception:  # its parser fails in many ways, with errors of many kinds
        code = soup.new_tag("code")
        code.string = latex
        return code
    if not block:
        return picture
    outer = soup.new_tag("span")
    outer["class"] = "display"
    outer.append(picture)
    return outer


def from_mathml(text: str) -> Tag:
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
