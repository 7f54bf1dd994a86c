"""A report takes nobody's place: files of one's own and notes in a report are kept beside."""

import pytest

from ivdlib import report
from ivdlib.report import stamp

PAGE = '<!DOCTYPE html>\n<html lang="en"><title>A</title><p>One\u2028two.\r\nThree.</p></html>'


@pytest.fixture
def out(tmp_path):
    return tmp_path / "thesis"


def aside(out):
    return sorted(path.name for path in (out.parent / "saved").glob("*"))


def test_a_report_is_made_again_in_its_place(out, capsys):
    for _ in range(2):
        made = report.write(out, PAGE)
        assert made["html"].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert aside(out) == []
    assert "kept" not in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".html", ".pdf"])
def test_a_file_of_ones_own_is_kept(out, capsys, ending):
    mine = out.with_suffix(ending)
    mine.write_text("mine")
    report.write(out, PAGE)
    assert aside(out) == [f"thesis-1{ending}"]
    assert (out.parent / "saved" / f"thesis-1{ending}").read_text() == "mine"
    assert f"kept: {mine} was written or changed by somebody" in capsys.readouterr().err


def test_notes_in_a_report_are_kept(out):
    made = report.write(out, PAGE)
    if made["pdf"] is None:
        pytest.skip(made["note"])
    with made["pdf"].open("ab") as stream:
        stream.write(b"% a lecturer's notes")
    report.write(out, PAGE)
    assert aside(out) == ["thesis-1.pdf"]
    made["html"].write_text(made["html"].read_text(encoding="utf-8").replace("One", "1"), "utf-8")
    report.write(out, PAGE)
    assert aside(out) == ["thesis-1.html", "thesis-1.pdf"]


def test_a_report_from_before_the_stamp_is_ours(out):
    out.with_suffix(".html").write_text(f"<html>{stamp.EARLIER}coursework</p></html>", "utf-8")
    out.with_suffix(".pdf").write_bytes(b"%PDF")
    report.write(out, PAGE)
    assert aside(out) == []
