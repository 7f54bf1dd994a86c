"""Who is one person by name, who may be, and who is a series of people."""

import random
import time
import unicodedata
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.data import people as names
from ivdlib.data.people import doubts, key, meant

QUICK = settings(max_examples=100, deadline=None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A", "a"),
        ("P01", "p01 "),
        ("Anna  Maria", " anna\tmaria"),
        ("Krüger", unicodedata.normalize("NFD", "KRÜGER")),
        ("Strauß", "STRAUSS"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER P}\N{FULLWIDTH DIGIT ONE}", "p1"),
        ("\ufeffP01\u200b", "P01"),
    ],
)
def test_spellings_of_one_name(one, other):
    assert key(one) == key(other)


@QUICK
@given(st.text(st.characters(codec=None), max_size=12))
def test_a_key_is_its_own_key(name):
    assert key(key(name)) == key(name)


def test_each_person_keeps_the_first_spelling():
    people = {"1": "P01", "2": "p01 ", "3": "b", "4": "P01"}
    assert names.unified(people) == {"1": "P01", "2": "P01", "3": "b", "4": "P01"}


@pytest.mark.parametrize(
    "people",
    [
        ["P01_pre", "P01_post"],
        ["pre_P01", "post_P01"],
        ["pre", "post"],
        ["P01_v1", "P01_v2"],
        ["P01_scan1", "P01_scan2"],
        ["P01_6m", "P01_12m"],
        ["P01_20190301", "P01_20200301"],
        ["anna", "anna2", "anna_followup"],
        ["anna_pre", "pre_anna"],
        ["P01a", "P01b"],
        ["01_1", "01_2"],
        ["1", "1_t2"],
        ["P1", "P-01", "p 001"],
        ["S1_baseline", "S1_follow-up"],
        ["visit_01", "visit_02"],
        ["2nd_P03", "1st_P03"],
        ["P01_avant", "P01_après"],
        ["P01_präop", "P01_praeop", "P01_postop"],
        ["P01_J0", "P01_J60"],
        ["ann_preflight", "ann_postflight"],
        ["A_BDC-12", "A_HDT58", "A_HDT6"],
        ["ann_loaded", "ann_unloaded"],
        ["ann_supine", "ann_upright", "standing_ann"],
        ["Meier_morgens", "Meier_abends"],
        ["test_P01", "retest_P01"],
        ["P01_test", "P01_retest"],
        ["ann_0mo", "ann_6mo"],
        ["ann_0y", "ann_2y"],
        ["Meier_wk0", "Meier_wk12"],
        ["P11", "Copy of P11", "P11 - Kopie (2)", "anon_P11"],
        ["Müller", "Mueller", "Muller"],
        ["Bär", "Baer"],
        ["Özil_pre", "Oezil_post"],
        ["P01_day1", "P01_day180"],
        ["P01_preHDT", "P01_postHDT"],
        ["René", "Rene_2"],
        ["pre_01", "post_01"],
        ["P01_pre1", "P01_pre2"],
    ],
)
@pytest.mark.parametrize("others", [[], ["carl"], ["S07", "S08"]])
def test_who_may_be_one_person(people, others):
    assert doubts(people + others) == [tuple(sorted(people))]


@pytest.mark.parametrize(
    ("people", "other"),
    [
        (["anna1", "anna2"], "bob1"),
        (["P01_left", "P01_right"], "P02_left"),
        (["P01_01", "P01_02"], "P02_01"),
        (["anna_2019-03-01", "anna_2020-03-02"], "bob"),
        (["Meier_2019", "Meier_2021"], "Huber_2019"),
        (["Meier_01022023", "Meier_05-06-2024"], "Huber_01022023"),
    ],
)
def test_where_others_are_called_otherwise_a_name_with_two_ends_may_be_one_person(people, other):
    assert doubts([*people, other]) == [tuple(sorted(people))]


@pytest.mark.parametrize(
    "people",
    [
        [f"scan_{n:02d}" for n in range(30)],
        [f"scan_{n}" for n in range(30)],
        [f"P{n:02d}" for n in range(30)] + ["C01"],
        [f"spider_{n:03d}" for n in (5, 7, 11)],
        [f"IVDM3Seg_{n}" for n in range(1, 8)],
        [f"t2_{n:03d}" for n in range(9)],
        [f"control_{n}" for n in range(1, 13)] + [f"patient_{n}" for n in range(1, 13)],
        [f"munich_{n:03d}" for n in range(9)] + [f"berlin_{n:03d}" for n in range(9)],
        [f"scan_201903{n}" for n in range(10, 30)],
        ["hip_15t", "legs_3t", "thorax_15t", "pelvis_035t", "abdomen_dualecho"],
        ["ann", "bob", "cem", "Krüger", "Meier", "slope-zero", "slope-nan", "nifti2", "float64"],
        ["sub-01", "sub-02", "sub-10"],
        [f"1.2.840.113619.{n * 7919}" for n in range(10, 90)] + ["1.3.12.2.1107.5.9.4711"],
        ["A", "B", "C"],
        ["JAE", "JA", "MUE", "MU", "BDC", "HD"],
        *(
            [f"{word}_{n:02d}" for word in words.split() for n in range(1, 21)]
            for words in (
                "Kontrolle Patient",
                "young old",
                "Neu",
                "final",
                "pre",
                "anon",
                "test old",
                "test train",
            )
        ),
        [f"{word}_{n}" for word in ("P", "C") for n in range(2010, 2020)],
        [f"site-{site}_{n:03d}" for site in "AB" for n in range(1, 9)],
        [f"{group}{n:02d}" for group in ("CTRL", "MS") for n in range(1, 9)],
        [f"Patient_{n:02d}" for n in range(1, 9)],
        ["sub-ctrl1", "sub-ctrl2", "sub-ms1"],
    ],
)
def test_ordinary_series_are_people(people):
    assert names.questions({name: name for name in people}) == []
    assert names.one_of_two({name: name for name in people}) == []


@QUICK
@given(st.integers(0), st.integers(2, 300), st.booleans())
def test_identifiers_drawn_by_chance_are_people(seed, number, plain):
    chance = random.Random(seed)
    drawn = [uuid.UUID(int=chance.getrandbits(128)) for _ in range(number)]
    ids = [one.hex if plain else str(one) for one in drawn]
    assert doubts(ids) == [] == names.one_of_two(dict(zip(ids, ids, strict=True)))


def test_people_stand_in_the_order_of_their_numbers():
    assert sorted(["P10", "P9", "A"], key=names.by_number) == ["A", "P9", "P10"]
    assert sorted(["110", "18", "5"], key=names.by_number) == ["5", "18", "110"]


def test_two_thousand_names_take_no_time():
    begin = time.process_time()
    assert len(doubts(f"P{n:04d}{letter}" for n in range(1000) for letter in "ab")) == 1000
    assert time.process_time() - begin < 5


def test_a_question_shows_the_lines_that_settle_it_either_way():
    ((scans, text),) = names.questions({"P01_pre": "P01_pre", "x": "x", "P01_post": "P01_post"})
    assert scans == ["P01_pre", "P01_post"]
    assert '"P01_post,P01" and "P01_pre,P01" if they are one person' in text
    assert '"P01_post,P01_post" and "P01_pre,P01_pre" if each is a person of its own' in text


@pytest.mark.parametrize(
    ("people", "persons"),
    [
        (["ses-1P001", "ses-2P001", "ses-1P002", "ses-2P002"], ["ses-1P001", "ses-1P002"]),
        (["S01T1", "S01T2", "S02T1", "S02T2"], ["S01T", "S02T"]),
        (["P1_pre", "P1_post", "P12_pre", "P12_post"], ["P12", "P1_post"]),
        (["P1", "P-1", "P2"], ["P-1"]),
        (["ann", "ann2", "ann_3"], ["ann"]),
    ],
)
def test_the_suggested_person_is_nobody_else(people, persons):
    texts = [text for _, text in names.questions({name: name for name in people})]
    assert [text.split('"')[1].split(",")[1] for text in texts] == persons


@pytest.mark.parametrize(
    "people", [["P1", "P-01", "x"], ["sub-1", "sub-01"], ["Müller", "Mueller"], ["a_pre", "a_post"]]
)
def test_lines_that_settle_it_are_not_asked_about_again(people):
    ((scans, text),) = names.questions({name: name for name in people})
    lines = [line.split(",") for line in text.split('"')[1::2]]
    for said in (lines[:2], lines[2:]):
        assert sorted(case for case, _ in said) == sorted(scans)
        assert names.one_of_two(dict(said)) == []
    assert len({who for _, who in lines[:2]}) == 1 and len({who for _, who in lines[2:]}) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("01", "1"), ("1.0", "1"), ("1,0", "01"), ("P03", "P3"), ("P_04", "P04"), ("S-1", "S1"),
        ("Huber-A", "Huber_A"), ("sub-01", "01"), ("sub-01", "Subject 1"),
        ("Meier Hans", "Meier, Hans"), ("MeierHans", "Meier-Hans"), ("Müller", "Mueller"),
        ("sub-1", "sub-01"), (1, "01"),
    ],
)  # fmt: skip
def test_two_spellings_of_one_person(one, other):
    ((scans, text),) = names.one_of_two({"a": one, "b": other, "c": "x", "d": one})
    assert scans == ["a", "b", "d"] and f"subjects {str(one)!r} and {str(other)!r} differ" in text


@pytest.mark.parametrize(
    "people",
    [["01", "10"], ["P1", "P11"], ["1.1", "1.10"], ["sub", "patient"], ["A1", "A2"], ["?", "+"],
     ["subject_1", "patient_1"], ["P01", "C01"], ["subA", "A"], ["P1_1", "P11"], ["Ann", "Anna"]],
)  # fmt: skip
def test_other_people_are_no_spellings(people):
    assert names.one_of_two(dict(enumerate(people))) == []


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        ("01", ["2", "1"], "1 looks like 01: leading zeros were lost, as spreadsheets do"),
        ("07", ["7.0"], "7.0 looks like 07: leading zeros were lost"),
        ("7", ["7.0"], "7.0 looks like 7: a decimal was added, as spreadsheets do"),
        ("10", ["10,00"], "10,00 looks like 10: a decimal was added, as"),
        ("7.0", ["7"], "7 looks like 7.0: a decimal was lost, as"),
        ("1", ["01"], "01 looks like 1: leading zeros were added"),
        ("0", ["00"], "00 looks like 0: leading zeros were added"),
        ("P01", ["P-1"], "P-1 looks like P01"),
        ("sub-anna", ["sub-ana"], "sub-ana looks like sub-anna"),
        ("01", ["x"], ""),
        ("sub-01", ["1"], "1 looks like sub-01"),
    ],
)
def test_what_may_be_meant(name, others, expected):
    assert meant(name, others).startswith(expected) and bool(expected) == bool(meant(name, others))


def test_a_number_that_is_near_lost_no_zeros():
    assert meant("001", ["0010"]) == "0010 looks like 001"
