"""Who was scanned: by table, by name, by folder; what cannot be told is asked for."""

import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from dixon_cases import write_case
from hypothesis import given, settings
from hypothesis import strategies as st
from loaded import load_anyway

from ivdlib.data import cases
from ivdlib.data import subjects as who
from ivdlib.data.case_files import CaseFiles
from ivdlib.data.layout import find_cases
from ivdlib.data.people import key
from ivdlib.errors import DataError, DataWarning, IvdlibError
from ivdlib.preprocessing import folds as splits
from ivdlib.preprocessing import folds_file
from ivdlib.training.experiment import Experiment


def people_of(*names, table=None, folder="/data"):
    """Case name → subject and stage, as `find_subjects` says without any file."""
    found = [
        CaseFiles(name, {"wat": Path(folder, name, f"{name}_wat.nii.gz")}) for name in sorted(names)
    ]
    subjects, faults = who.find_subjects(found, table)
    assert not faults
    return {name: (one.subject, one.stage) for name, one in subjects.items()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["sub-01_ses-1", "sub-01_ses-2"], {("sub-01", "1"), ("sub-01", "2")}),
        (["sub-01_ses-pre", "SUB-01_ses-post"], {("sub-01", "post"), ("sub-01", "pre")}),
        (["sub-01_part-mag", "sub-01_part-phase"], {("sub-01", "")}),
        (["sub-01_acq-sag_run-1", "sub-01_acq-tra_run-2"], {("sub-01", "")}),
        (["sub-01_task-rest_ses-2_echo-1", "sub-02"], {("sub-01", "2"), ("sub-02", "")}),
    ],
)
def test_bids_names_say_the_person_and_the_session(names, expected):
    found = people_of(*names)
    assert {(key(person), stage) for person, stage in found.values()} == expected
    assert len({person for person, _ in found.values()}) == len({p for p, _ in expected})


def test_folders_of_bids_say_it_where_files_have_no_prefix(tmp_path, write_case):
    for session in ("ses-1", "ses-2"):
        for person in ("sub-01", "sub-02"):
            place = write_case(tmp_path / person, person + session)
            for path in place.iterdir():
                path.rename(path.with_name(path.name.split("_")[-1]))
            place.rename(tmp_path / person / session)
    loaded = load_anyway(tmp_path)
    assert [(c.name, c.subject, c.stage) for c in loaded] == [
        ("sub-01_ses-1", "sub-01", "1"),
        ("sub-01_ses-2", "sub-01", "2"),
        ("sub-02_ses-1", "sub-02", "1"),
        ("sub-02_ses-2", "sub-02", "2"),
    ]
    for fold in splits.patient_folds(loaded):
        assert len({c.split("_")[0] for c in fold.train} & {c[:6] for c in fold.test}) == 0


def test_folders_of_bids_say_it_whatever_the_files_are_called(tmp_path, write_case):
    for person, session, name in (("sub-01", "ses-1", "x7"), ("sub-01", "ses-2", "y3"),
                                  ("sub-02", "ses-1", "z5")):  # fmt: skip
        write_case(tmp_path / person / session, name)
    loaded = load_anyway(tmp_path)
    assert [(c.subject, c.stage) for c in loaded] == [
        ("sub-01", "1"), ("sub-01", "2"), ("sub-02", "1")]  # fmt: skip


@pytest.mark.parametrize("numbers", [("01", "02"), ("01", "16"), ("05",)])
def test_both_releases_of_the_challenge_are_the_same_people(numbers):
    found = people_of(*numbers, "A1", "b1_03", "H1", "C1")
    assert {person for person, _ in found.values()} <= {f"S{n}" for n in range(1, 9)}
    assert found["A1"] == ("S1", "1") and found["b1_03"] == ("S2", "1")
    assert found["C1"] == ("S3", "1") and found["H1"] == ("S8", "1")
    for name in numbers:
        assert found[name] == (f"S{(int(name) + 1) // 2}", "1" if int(name) % 2 else "2")


def test_the_lettered_release_alone_is_read_as_before():
    assert people_of("A1", "A2", "B1_03") == {
        "A1": ("A", "1"), "A2": ("A", "2"), "B1_03": ("B", "1")}  # fmt: skip


@pytest.fixture
def doubtful(tmp_path):
    for name in ("P01_pre", "P01_post", "P02_pre", "P03_pre"):
        write_case(tmp_path / "data", name)
    return tmp_path / "data"


def test_what_cannot_be_told_is_asked_for_by_whoever_splits(doubtful, tmp_path):
    match = 'P01_post, P01_pre may be one person .*"P01_post,P01" and "P01_pre,P01" if'
    with pytest.raises(DataError, match=match):
        Experiment("x", "test", doubtful, reports=tmp_path, claim=False)
    loaded = load_anyway(doubtful)
    with pytest.raises(DataError, match=match):
        splits.patient_folds(loaded)
    (tmp_path / "split.csv").write_text("case,fold\nP01_pre,1\nP01_post,2\nP02_pre,1\nP03_pre,2\n")
    with pytest.raises(DataError, match=match):
        folds_file.folds_from_file(tmp_path / "split.csv", loaded)


def test_loading_and_check_only_say_it(doubtful):
    with pytest.warns(DataWarning, match="2 cases: P01_post, P01_pre may be one person"):
        cases.load_cases(doubtful)
    rows = cases.check_cases(doubtful)
    told = [r["case"] for r in rows if any("may be one person" in t for t in r["warnings"])]
    assert told == ["P01_post", "P01_pre"] and not any(r["errors"] for r in rows)


@pytest.mark.parametrize(("first", "second", "number"), [("a", "a", 3), ("a", "b", 4)])
def test_the_table_settles_it_either_way(doubtful, first, second, number):
    (doubtful / "subjects.csv").write_text(
        f"case,subject\nP01_pre,{first}\nP01_post,{second}\nP02_pre,c\nP03_pre,d\n"
    )
    folds = splits.patient_folds(cases.load_cases(doubtful))
    assert len(set(folds[0].subjects.values())) == number


def asked(*names, folder="/data", paths=()):
    """Groups of cases that are asked for, by names or by paths of images below a folder."""
    found = [CaseFiles(n, {"wat": Path(folder, n, f"{n}_wat.nii.gz")}) for n in names]
    found += [
        CaseFiles(path.split("/")[-1], {"wat": Path(folder, f"{path}_wat.nii")}) for path in paths
    ]
    subjects, _ = who.find_subjects(sorted(found, key=lambda one: one.name), None)
    groups = {}
    for name, one in subjects.items():
        groups.setdefault(one.question, []).append(name)
    groups.pop("", None)
    scans = [
        SimpleNamespace(name=n, subject=s.subject, subject_source=s.source,
                        subject_question=s.question, contrasts={})
        for n, s in subjects.items()
    ]  # fmt: skip
    if groups:
        with pytest.raises(DataError, match="write a subjects.csv"):
            splits.subjects_of(scans)
    else:
        splits.subjects_of(scans)
    return sorted(groups.values())


NUMBERS = [f"{n:02d}" for n in range(1, 17)]


@pytest.mark.parametrize("others", [["ph_01"], ["P77", "anna"], ["sub-7"], ["x.y"]])
def test_numbers_beside_other_names_may_be_the_challenge_s(others):
    assert asked("01", "02", "05", *others) == [["01", "02", "05"]]
    assert asked(*NUMBERS, *others) == [NUMBERS]
    assert asked("01", "03", "06", *others) == []
    assert asked("02", "03", *others) == []


def test_numbers_that_go_on_are_people_and_it_is_said_that_the_challenge_s_are_not():
    names = [f"{n:02d}" for n in range(1, 21)]
    assert asked(*names) == [] == asked(*names, "ph_01")
    found, _ = who.find_subjects([CaseFiles(n, {"wat": Path(n, "a.nii")}) for n in names], None)
    assert "in the challenge 01 and 02 are one person" in found["05"].note
    assert "challenge" not in found["17"].note


@pytest.mark.parametrize("others", [["ph_01"], ["P77", "anna"], ["sub-7"]])
def test_both_releases_are_joined_whatever_stands_beside_them(others):
    found = people_of("01", "04", "A1", "A1_03", "B2", *others)
    assert {found[name] for name in ("01", "A1", "A1_03")} == {("S1", "1")}
    assert found["04"] == found["B2"] == ("S2", "2")
    assert all(found[name][0] == name for name in others)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([f"P{n}" for n in range(1, 9)], 1),
        (["S1", "S2", "S3", "T1"], 1),
        (["S1", "S2", "S3", "T1", "T2"], 2),
        (["A1", "A2"], 0),
        (["A1_01", "A1_02", "A2_01", "a3_01"], 1),
        (["A1", "A2", "B1"], 0),
        (["A1", "b1", "C2"], 0),
        (["A1_01", "A1_02", "A2_01", "B2_03", "B3_03"], 0),
        (["A1_01", "A1_02"], 0),
        ([f"P{n}" for n in range(1, 13)], 0),
    ],
)
def test_a_letter_and_a_digit(names, expected):
    assert len(asked(*names)) == expected


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["Meier/E104455", "Meier/E109912", "Huber/E1"], [["E104455", "E109912"]]),
        (["Meier/a/20230101", "Meier/b/20240202", "Huber/c/E1", "Huber/d/E2"],
         [["20230101", "20240202"], ["E1", "E2"]]),
        (["all/Meier/x", "all/Meier/y", "all/Huber/z"], [["x", "y"]]),
        (["anna/scan10", "anna/scan11", "bob/scan12"], [["scan10", "scan11"]]),
        ([*(f"Training/{n}" for n in NUMBERS[:9]), "Test/20", "Test/21"], []),
        (["train/p1a1", "train/p2b2", "test/p3c3", "test/q4"], []),
        (["x/a", "y/b", "z/c"], []),
        (["MS/ann", "MS/bob", "MS/cem", "MS/dan", "CTRL/eve", "CTRL/fay"], []),
        (["Meier/ann", "Meier/bob"], []),
        (["sub-1/ses-1/aa", "sub-1/ses-2/bb", "sub-2/ses-1/cc"], []),
    ],
)  # fmt: skip
def test_folders_of_people(paths, expected):
    assert asked(paths=paths) == expected


def test_contrasts_in_folders_of_their_own_are_no_people():
    found = [
        CaseFiles(n, {w: Path("/data", w, f"{n}_{w}.nii") for w in ("fat", "wat")})
        for n in ("ann", "bob")
    ]
    assert not any(one.question for one in who.find_subjects(found, None)[0].values())


def test_a_question_counts_for_the_cases_that_are_here(doubtful):
    loaded = {case.name: case for case in load_anyway(doubtful)}
    assert len(splits.patient_folds([loaded[n] for n in ("P01_pre", "P02_pre", "P03_pre")])) == 2


def test_further_questions_are_counted():
    names = [f"P{n:02d}_{time}" for n in (1, 2) for time in ("pre", "post")]
    for more, said in (([], "one more group of names"), (["P03_pre", "P03_post"], "2 more groups")):
        scans = [
            SimpleNamespace(name=n, subject=n, subject_source="case name", contrasts={})
            for n in names + more
        ]
        with pytest.raises(DataError, match=rf"\(and {said}.*, see ivdlib check\)\.$"):
            splits.subjects_of(scans)


def test_bids_names_say_who_it_is_save_for_spellings():
    assert asked("sub-ctrl1", "sub-ctrl2", "sub-ms1") == []
    assert asked("sub-1", "sub-01", "sub-2") == [["sub-01", "sub-1"]]
    assert asked("sub-S01T1", "sub-S01T2", "sub-S02T1") == [["sub-S01T1", "sub-S01T2"]]
    assert asked("01", "1", "x") == [["01", "1"]]
    found, _ = who.find_subjects(
        [CaseFiles(n, {"wat": Path(n, "a.nii")}) for n in ("sub-01", "1", "sub-2")], None
    )
    assert "'1' and 'sub-01' differ as two spellings" in found["sub-01"].note
    with pytest.raises(DataError, match="'1' and 'sub-01' differ"):
        splits.subjects_of({name: one.subject for name, one in found.items()})


PEOPLE = ["P01", "p2", "Krüger", "anna", "sub-03", "07", "X-ray 9", "Strauß"]
SPELL = [
    str,
    str.upper,
    str.lower,
    lambda t: f" {t}",
    lambda t: f"{t} ",
    lambda t: unicodedata.normalize("NFD", t),
    lambda t: t.replace(" ", "   "),
]
TIMES = ["_pre", "_post", "_v1", "_v2", "_1", "_2", "a", "b", "2", "_followup", "_ses-1", "_ses-2",
         "_part-mag", "_part-phase", "_ses-1_part-mag", "_2019-03-01", "_2020-03-02"]  # fmt: skip
SCANS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(SPELL), st.sampled_from(TIMES)),
    min_size=2, max_size=8,
)  # fmt: skip


def image_of(number):
    return np.random.default_rng(number).normal(size=(5, 6, 7)).astype(np.float32)


@settings(max_examples=300, deadline=None)
@given(SCANS, st.integers(0, 3), st.data())
def test_nobody_stands_on_both_sides_or_it_is_refused(drawn, seed, data):
    """Scans of people in many spellings, named after person and time; some are copies."""
    truth, images = {}, {}
    for number, (person, spell, time) in enumerate(drawn):
        if person[-1].isdigit() == time[0].isdigit() and "_" not in time:
            continue  # `P01` at a second time is not called `P012`
        name = spell(person + time)
        truth.setdefault(name, person)
        images.setdefault(name, image_of(number))
    for name in list(truth):
        if data.draw(st.integers(0, 5)) == 0:  # the same image, as that of somebody else
            other = data.draw(st.sampled_from(sorted(truth)))
            images[name] = images[other].transpose(1, 2, 0)[::-1] * 2 + 1
            truth[name] = truth[other]
    if len(set(truth.values())) < 2:
        return  # names that all begin alike may be those of a study, `study_2019-03-01`
    by_key = {}
    for name in truth:
        by_key.setdefault(key(name), []).append(name)
    if any(len(spellings) > 1 for spellings in by_key.values()):
        return  # one file name in two spellings is one case, refused as "there 2 times"
    found = [CaseFiles(n, {"wat": Path("/data", n, f"{n}_wat.nii.gz")}) for n in sorted(truth)]
    subjects, _ = who.find_subjects(found, None)
    scans = [
        SimpleNamespace(
            name=n, subject=s.subject, subject_source=s.source,
            subject_question=s.question, contrasts={"wat": images[n]}, derived=frozenset(),
        )
        for n, s in subjects.items()
    ]  # fmt: skip
    try:
        folds = splits.patient_folds(scans, seed=seed)
    except IvdlibError:
        return
    for fold in folds:
        both = {truth[name] for name in fold.train} & {truth[name] for name in fold.test}
        assert not both, (sorted(truth), both)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(SPELL)), min_size=2,
                max_size=10), st.integers(0, 3))  # fmt: skip
def test_spellings_in_a_table_are_one_person(drawn, seed):
    subjects = {f"c{n:02d}": spell(person) for n, (person, spell) in enumerate(drawn)}
    truth = {f"c{n:02d}": person for n, (person, _) in enumerate(drawn)}
    if len(set(truth.values())) < 2:
        return
    for fold in splits.patient_folds(subjects, seed=seed):
        assert not {truth[n] for n in fold.train} & {truth[n] for n in fold.test}


def test_a_name_in_two_spellings_is_one_case(tmp_path, write_case):
    write_case(tmp_path, "P01")
    write_case(tmp_path, "p01 ")
    (files,) = find_cases(tmp_path)
    assert files.name == "P01" and "is there 2 times" in files.faults[0]


def test_subjects_of_the_challenge_are_inferred_and_said_to_be(tmp_path, write_case):
    for name in ("01", "02", "15", "16"):
        write_case(tmp_path, name)
    with pytest.warns(DataWarning, match="inferred from the challenge") as caught:
        loaded = cases.load_cases(tmp_path)
    assert len(caught) == 1
    assert [(c.subject, c.stage) for c in loaded] == [
        ("S1", "1"),
        ("S1", "2"),
        ("S8", "1"),
        ("S8", "2"),
    ]
    assert loaded[0].subject_source == "inferred (challenge table)"


def test_the_odd_scans_of_the_challenge_are_eight_people_and_nothing_is_inferred(
    tmp_path, write_case, recwarn
):
    for name in ("01", "03", "15"):
        write_case(tmp_path, name)
    loaded = cases.load_cases(tmp_path)
    assert [c.subject for c in loaded] == ["S1", "S2", "S8"]
    assert {c.subject_source for c in loaded} == {"challenge table"}
    assert not [one for one in recwarn if "inferred" in str(one.message)]


def test_one_letter_and_two_digits_are_people_and_not_times(tmp_path, write_case):
    """P01 and P02 are no scans of one person P."""
    for name in ("P01", "P02", "C01"):
        write_case(tmp_path, name)
    with pytest.warns(DataWarning, match="3 cases .* taken as a subject of its own"):
        loaded = cases.load_cases(tmp_path)
    assert [c.subject for c in loaded] == ["C01", "P01", "P02"]


def test_who_is_joined_by_a_letter_is_told(tmp_path, write_case):
    for name in ("A1", "A2", "B1"):
        write_case(tmp_path, name)
    with pytest.warns(DataWarning, match="A1 and A2 are one person, and so on"):
        loaded = cases.load_cases(tmp_path)
    assert [(c.subject, c.stage) for c in loaded] == [("A", "1"), ("A", "2"), ("B", "1")]
