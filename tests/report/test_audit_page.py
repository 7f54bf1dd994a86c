"""The audit in reports: page one first, no file but its own, appendices folded."""

import base64

import pytest
from bs4 import BeautifulSoup
from report_folder import PNG

from ivdlib import files
from ivdlib.errors import DataError
from ivdlib.report import audit_page, experiment


@pytest.mark.parametrize(
    "source", ["../secret.png", "secret.txt", "gone.png", "link.png", "no.png"]
)
def test_an_audit_shows_no_file_but_its_own_pictures(tmp_path, source):
    done = tmp_path / "audit"
    done.mkdir()
    for place in (tmp_path / "secret.png", done / "secret.txt"):
        place.write_bytes(base64.b64decode(PNG))
    (done / "link.png").symlink_to(tmp_path / "secret.png")
    (done / "no.png").write_text("no picture", encoding="utf-8")
    files.write_text(done / "AUDIT.md", f"# The audit\n\n![it]({source})\n")
    with pytest.raises(DataError, match=r"no PNG file within its folder|no\.png is no picture"):
        experiment.render_report(done)
    (done / "own.png").write_bytes(base64.b64decode(PNG))
    files.write_text(done / "AUDIT.md", "# The audit\n\n![it](own.png)\n")
    assert f"data:image/png;base64,{PNG}" in experiment.render_report(done)


def test_the_audit_begins_with_its_first_page_and_folds_what_stands_behind(tmp_path):
    page = "# The audit\n\nTen claims.\n\n## How we judged\n\nSo.\n\n## Appendices\n\n"
    files.write_text(tmp_path / "AUDIT.md", f"{page}## One\n\n| a |\n|---|\n| b |\n\n## Two\n\nc\n")
    html = experiment.render_report(tmp_path)
    soup = BeautifulSoup(html, "html.parser")
    folds = soup.find_all("details")
    assert [fold.summary.get_text().strip("¶") for fold in folds] == ["One", "Two"]
    assert folds[0].find("table") and folds[1].find("p").get_text() == "c"
    assert not folds[0].find("p") and not soup.find(string="Ten claims.").find_parent("details")
    assert html.index("Ten claims.") < html.index("Contents")
    links = [link["href"][1:] for link in soup.nav.find_all("a")]
    assert all(soup.find(id=link) for link in links)


def test_an_experiment_shows_page_one_alone(tmp_path):
    files.write_text(
        tmp_path / "AUDIT.md", "# The audit\n\nTen claims.\n\n## How we judged\n\nSo.\n"
    )
    found = audit_page.first(tmp_path / "AUDIT.md")
    assert "Ten claims." in found["html"] and "How we judged" not in found["html"]
    assert "How we judged" in audit_page.whole(tmp_path / "AUDIT.md")["html"]
