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


FOUR = ("inn", "opp", "wat", "fat")


def runs(volumes):
    scans, _ = scans_of(volumes)
    return [{c: (v.order, v.variant) for c, v in scan.images.items()} for scan in scans]


def test_corrected_and_plain_images_are_not_mixed():
    """Siemens writes each contrast twice, one after the other: in_ND, in, opp_ND, opp."""
    some = [volume(c, 2 * n + k, "10", variant=(kind,))
            for n, c in enumerate(FOUR) for k, kind in enumerate(("ND", "NORM"))]  # fmt: skip
    for run in runs(some):
        assert len(run) == 4 and len({variant for _, variant in run.values()}) == 1


def test_time_points_of_one_series_are_not_mixed():
    some = [volume(c, 5, "10", time=t) for c in FOUR for t in (1, 2, 3)]
    found = runs(some)
    assert len(found) == 3
    assert all(len({order[2] for order, _ in run.values()}) == 1 for run in found)


def test_what_nothing_parts_goes_in_turn():
    some = [volume(c, number, "10") for c, number in
            [("inn", 1), ("inn", 2), ("fat", 3), ("fat", 4)]]  # fmt: skip
    assert [[order[1] for order, _ in run.values()] for run in runs(some)] == [[1, 3], [2, 4]]


def test_only_the_first_echoes_of_a_multi_echo_series_are_taken():
    some = [volume(c, 5, by_echo=True, te=te) for c, te in
            [("opp", 2.3), ("inn", 4.6), ("opp", 6.9), ("inn", 9.2)]]  # fmt: skip
    scans, left = scans_of(some)
    assert [{c: v.facts["echo_time_ms"] for c, v in s.images.items()} for s in scans] == [
        {"opp": 2.3, "inn": 4.6}
    ]
    assert [one.why for one in left] == ["a later echo of a series that has an earlier one"] * 2


def test_one_study_is_one_visit_however_its_time_is_written():
    some = [volume("wat", date="20240102101500"), volume("fat", date="20240102101500.000")]
    assert names(some)[0] == [["fat", "wat"]]
