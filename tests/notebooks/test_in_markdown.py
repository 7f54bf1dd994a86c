"""A lesson as Markdown, for code hosts: with results, and answers folded."""

from bindery import in_markdown
from bindery.pictures import Shelf


def test_a_lesson_with_results_in_markdown(lesson, tmp_path):
    text = in_markdown.lesson_text(lesson, Shelf(tmp_path))
    assert r'![a "red" field \[1\]](pictures/07_bones-01.webp)' in text
    fold = "<details><summary>A solution</summary>\n\n```python\nx = 1\n```\n\n</details>"
    assert fold in text
    check = text.partition("The check of the solution")[2].partition("</details>")[0]
    assert "check(x, 1)" in check and "```text\nright: 1\n```" in check
    assert "<details><summary>Code</summary>\n\n```python\nwork()" in text
    assert "<style" not in text and "<table><tr><td>7</td></tr></table>" in text
    assert "```python\nmore()\n```\n\n![" in text
    assert "[06](06_your_own_scan.md)" in text


def test_a_fence_is_longer_than_what_it_holds():
    assert in_markdown._fenced("a\n````\nb", "text").startswith("`````text\n")
