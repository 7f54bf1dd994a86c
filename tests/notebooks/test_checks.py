"""What must not be in a page of the site is found."""

from bindery import checks
from bindery.heads import ROOT


def test_what_a_page_would_fetch_is_told(tmp_path):
    page = (
        '<script src="https://cdn.example.org/x.js"></script><img src="a.png"><a href="http://a">'
    )
    (tmp_path / "a.html").write_text(page)
    assert checks.remote(tmp_path) == ["a.html: https://cdn.example.org/x.js"]


def test_links_that_lead_nowhere_are_told(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.html").write_text(
        '<a href="../c.html#x">c</a><a href="../d.html?v=1">d</a><a href="#y">e</a>'
        '<a href="mailto:a@b">f</a><img src="data:image/png;base64,aa">'
    )
    (tmp_path / "d.html").write_text("")
    assert checks.dead(tmp_path) == ["b/a.html: ../c.html"]


def test_a_folder_of_this_machine_is_told(tmp_path):
    (tmp_path / "a.html").write_text(f"see {ROOT / 'reports'}")
    (tmp_path / "b.html").write_text("see reports/")
    assert checks.personal(tmp_path) == ["a.html"]
