"""Images put together to scans."""

from itertools import permutations

import pytest
from incoming_volume import volume

from ivdlib.data.incoming.frame import Patient
from ivdlib.data.incoming.grouping import person_of, scans_of


def names(volumes):
    scans, left = scans_of(volumes)
    return [sorted(scan.images) for scan in scans], [one.what for one in left]


def test_the_order_of_files_does_not_matter():
    some = [volume(c, n) for n, c in enumerate(("inn", "opp", "wat", "fat"))]
    for order in permutations(some):
        assert names(order) == ([["fat", "inn", "opp", "wat"]], [])


def test_stations_are_scans_of_their_own():
    some = [volume(c, n, at=x) for n, (c, x) in enumerate([("inn", 0), ("opp", 0), ("inn", 50),
                                                           ("opp", 50)])]  # fmt: skip
    assert names(some)[0] == [["inn", "opp"], ["inn", "opp"]]
    assert names([volume("inn"), volume("opp", at=0.05)])[0] == [["inn", "opp"]]


def test_a_raw_echo_gives_way_to_an_image_that_says_what_it_is():
    some = [volume("inn", 3, by_echo=True), volume("opp", 3, by_echo=True), volume("inn", 7)]
    assert names(some) == ([["inn", "opp"]], ["series 3, inn"])


@pytest.mark.parametrize(("number", "name", "told"), [
    ("A1", "Meier", "A1"), ("ANON", "Meier", "Meier"), ("0000", "Anonymous", "1.2"),
    ("", "Meier", "Meier"), ("anonymized", "", "1.2"), ("X", "", "1.2"),
])  # fmt: skip
def test_a_number_that_all_anonymised_people_have_is_none(number, name, told):
    assert person_of(volume("wat", who=Patient(number, name))) == told


def test_spellings_of_a_number_are_one_person():
    a, b = volume("wat", who=Patient("ab1")), volume("fat", who=Patient("AB1 "))
    assert names([a, b])[0] == [["fat", "wat"]]
