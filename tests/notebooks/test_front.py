"""The front page: every lesson, the ways in, and the live page if the site has one."""

import pytest
from bindery import front
from bindery.heads import Head
from bindery.pictures import Picture, Shelf
from bs4 import BeautifulSoup

HEADS = [
    Head("00_start_here", "00", "Start", ("run a cell",), "Python", 20, "how to <begin>"),
    Head("01_data", "01", "Data", ("read",), "00", 70, "scans"),
]


@pytest.fixture
def page(tmp_path):
    """Give a function that writes the page and reads it."""
    shelf = Shelf(tmp_path)
    shelf.tagged["00_start_here", "front"] = Picture("pictures/a.webp", "two spines", 90, 50)
    shelf.tagged["01_data", "card"] = Picture("pictures/b.webp", "four", 40, 30)

    def write() -> BeautifulSoup:
        front.write_front(tmp_path, HEADS, shelf)
        return BeautifulSoup((tmp_path / "index.html").read_text("utf-8"), "html.parser")

    return write


def test_each_lesson_has_a_card_with_its_minutes(page):
    cards = page().find_all("a", class_="card")
    assert [card["href"] for card in cards] == ["00_start_here.html", "01_data.html"]
    assert "20 min" in cards[0].get_text() and "how to <begin>" in cards[0].get_text()
    assert cards[0].img is None and cards[1].img["src"] == "pictures/b.webp"


def test_it_says_for_whom_how_long_and_how_to_begin(page):
    found = page()
    assert found.h1 and len(found.find_all("h1")) == 1
    assert [term.get_text() for term in found.find_all("dt")] == [
        "For whom",
        "Time",
        "Before",
        "Machine",
    ]
    assert "about 2 hours: 2 lessons" in found.dl.get_text()  # 90 minutes
    assert found.find("figure").img["alt"] == "two spines"
    assert found.find("pre").get_text().splitlines() == list(front.INSTALL)


DOORS = {
    "Learn": {"install.html", "00_start_here.html"},
    "Teach": {"instructor.html", "hosted.html"},
    "Research": {"your_scans.html", "commands.html", "model_card.html", "audit.html"},
}


def test_three_doors_lead_to_learning_teaching_and_research(page):
    doors = page().find(class_="ways").find_all("div", class_="way")
    assert {door.h2.get_text(): {a["href"] for a in door.find_all("a")} for door in doors} == DOORS


def test_the_live_page_is_linked_and_says_whether_it_runs(page, tmp_path):
    assert not page().find("a", href=front.LIVE)
    (tmp_path / "live").mkdir()
    for name in (front.LIVE, front.STILL):
        (tmp_path / name).write_text("")
    way = page().find("a", href=front.LIVE)
    assert "Try it in your browser" in way.get_text() and way.img["src"] == front.STILL
    assert "A still picture here" in way.get_text()
    (tmp_path / front.ENGINE).write_text("")
    way = page().find("a", href=front.LIVE)
    assert "The network runs in the page" in way.get_text()
    assert "still picture" not in way.get_text()
