"""A lesson as Sphinx gets it: answers folded, pictures beside it, formulas drawn."""

import nbformat
import pytest
from bindery import lesson_pages, terms
from bindery.heads import head_of
from bindery.pictures import Shelf

GLOSSARY = "**Bias**: A number. [01](01_a.ipynb)\n"


@pytest.fixture
def cells(lesson, tmp_path):
    text = lesson_pages.lesson_page(lesson, head_of(lesson, ""), Shelf(tmp_path), GLOSSARY)
    return nbformat.reads(text, as_version=4).cells


def test_what_a_check_prints_is_folded_with_the_solution(cells):
    hides = [[t for t in cell.metadata.get("tags", []) if t.startswith("hide")] for cell in cells]
    assert hides == [[], ["hide-cell"], ["hide-cell"], ["hide-input"], [], []]
    assert cells[2].metadata.mystnb.code_prompt_show == "The check of the solution"


def test_pictures_lie_beside_the_page_and_widgets_say_that_they_move(cells):
    plain, still = (output.data["text/html"] for output in cells[4].outputs)
    assert 'src="pictures/07_bones-01.webp"' in plain and "&quot;red&quot;" in plain
    assert "still picture" in still and "still picture" not in plain


def test_goals_stand_one_below_the_other_and_what_follows_stays(cells):
    text = cells[0].source
    assert "> - name a bone\n> - count to two\n" in text
    assert "**Study time:** 70 minutes" in text and "**Paper:** Sect. 1" in text
    assert text.count("A [**bias**](glossary.md#term-bias) is no **bone**, and a **bias**") == 1


def test_formulas_are_drawn_and_code_is_not():
    drawn = lesson_pages.drawn(r"so $$\frac{a}{b}$$ and `$x$`, for $5 or $6")
    assert r'alt="\frac{a}{b}"' in drawn and "`$x$`, for $5 or $6" in drawn
    assert "$$" not in drawn


def test_each_term_is_linked_once_by_any_of_its_names():
    glossary = "**Dice overlap**: A.\n\n**Pixel, voxel**: B.\n\n**Step**: C.\n"
    link = terms.linker(glossary)
    assert (
        link("**voxels** and **pixels**")
        == "[**voxels**](glossary.md#term-pixel-voxel) and **pixels**"
    )
    assert (
        link("the **Dice** of [**step**](x)")
        == "the [**Dice**](glossary.md#term-dice-overlap) of [**step**](x)"
    )
    assert "(term-pixel-voxel)=\n**Pixel, voxel**: B." in terms.page(glossary)
