"""A report takes nobody's place: files of one's own and notes in a report are kept beside."""

import pytest

from ivdlib.report import pages

PAGE = '<!DOCTYPE html>\n<html lang="en"><title>A</title><p>One\u2028two.\r\nThree.</p></html>'


@pytest.fixture
def out(tmp_path):
    return tmp_path / "thesis"


def aside(out):
    return sorted(path.name for path in (out.parent / "saved").glob("*"))


def test_a_report_is_made_again_in_its_place(out, capsys):
    for _ in range(2):
        made = pages.write_report(out, PAGE)
        assert made["html"].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert aside(out) == []
    assert "kept" not in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".html", ".pdf"])
def test_a_file_of_ones_own_is_kept(out, capsys, ending):
    mine = out.with_suffix(ending)
    mine.write_text("mine")
    pages.write_report(out, PAGE)
    assert aside(out) == [f"thesis-1{ending}"]
    assert (out.parent / "saved" / f"thesis-1{ending}").read_text() == "mine"
    assert f"kept: {mine} was written or changed by somebody" in capsys.readouterr().err


def test_notes_in_a_report_are_kept(out):
    made = pages.write_report(out, PAGE)
    if made["pdf"] is None:
        pytest.skip(made["note"])
    with made["pdf"].open("ab") as stream:
        stream.write(b"% a lecturer's notes")
    pages.write_report(out, PAGE)
    assert aside(out) == ["thesis-1.pdf"]
    made["html"].write_text(made["html"].read_text(encoding="utf-8").replace("One", "1"), "utf-8")
    pages.write_report(out, PAGE)
    assert aside(out) == ["thesis-1.html", "thesis-1.pdf"]


EARLIER = '<html><p class="kind">ivdlib · coursework</p></html>'
"""As pages were before there was a stamp."""


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "<p>my note</p>\n",
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n",
        lambda text: "<p>my note</p>" + text,
        lambda text: text[: text.rindex("<!-- made by")],
        lambda text: text.replace("<!-- made", " my words <!-- made"),
        lambda text: text.replace("-->\n", "--> -->\n"),
        lambda text: EARLIER,
        lambda text: "",
    ],
    ids=["after", "no newline", "more lines", "before", "no stamp", "within", "broken", "earlier",
         "empty"],
)  # fmt: skip
def test_a_changed_page_is_kept(out, capsys, change):
    made = pages.write_report(out, PAGE)
    text = change(made["html"].read_text(encoding="utf-8"))
    made["html"].write_text(text, "utf-8")
    if made["pdf"]:
        with made["pdf"].open("ab") as stream:
            stream.write(b"% a lecturer's notes")
    pages.write_report(out, PAGE)
    assert (out.parent / "saved" / "thesis-1.html").read_text(encoding="utf-8") == text
    assert "kept: " in capsys.readouterr().err
    if made["pdf"]:
        assert aside(out) == ["thesis-1.html", "thesis-1.pdf"]


def test_a_pdf_beside_a_changed_page_is_ours_if_the_stamp_proves_it(out):
    made = pages.write_report(out, PAGE)
    if made["pdf"] is None:
        pytest.skip(made["note"])
    with made["html"].open("a", encoding="utf-8") as stream:
        stream.write("my note")
    pages.write_report(out, PAGE)
    assert aside(out) == ["thesis-1.html"]


def test_a_pdf_from_before_the_stamp_may_bear_notes(out):
    out.with_suffix(".html").write_text(EARLIER, "utf-8")
    out.with_suffix(".pdf").write_bytes(b"%PDF")
    pages.write_report(out, PAGE)
    assert aside(out) == ["thesis-1.html", "thesis-1.pdf"]
