"""The command line: help that explains, one clear sentence for what is wrong, exit codes."""

import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr

import nibabel as nib
import numpy as np
import pytest

from ivdlib import cli, profiles, progress
from ivdlib.cli.arguments import value
from ivdlib.errors import Visible

COMMANDS = ("phantom", "check", "grid", "reproduce", "audit", "lesson", "predict", "score", "info")


def run(capsys, *arguments):
    """Call the command in this process; gives (status, output, errors)."""
    try:
        status = cli.main([str(a) for a in arguments])
    except SystemExit as stop:
        status = stop.code
    out = capsys.readouterr()
    return status, out.out, out.err


def is_one_sentence(text):
    lines = [line for line in text.splitlines() if line.startswith("ivdlib:")]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    assert lines[0].rstrip().endswith(".")
    return True


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_argument(capsys, command):
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert len(out.splitlines()) > 6


def test_overall_help_lists_the_commands(capsys):
    _, out, _ = run(capsys, "--help")
    assert all(command in out for command in COMMANDS)


def test_phantom_and_check(capsys, tmp_path):
    where = tmp_path / "phantom"
    size = ("--subjects", 2, "--stages", 1, "--slices", 2, "--in-plane", 64, "--workers", 1)
    status, out, _ = run(capsys, "phantom", where, *size)
    assert status == 0 and "2 subjects" in out
    status, out, _ = run(capsys, "check", where, "--json")
    found = json.loads(out)["cases"]
    assert status == 0
    assert [row["case"] for row in found] == ["01", "02"]
    assert found[0]["copies"] == [] and found[0]["errors"] == []


def test_check_names_every_bad_case_and_fails(capsys, tmp_path, write_case):
    (tmp_path / "subjects.csv").write_text("case,subject\n01,a\n02,b\n03,c\n")
    write_case(tmp_path, "01")
    write_case(tmp_path, "02", missing=["fat", "inn"])
    write_case(tmp_path, "03", missing=["fat"])
    status, out, _ = run(capsys, "check", tmp_path)
    assert status == 1
    table = [line.split() for line in out.split("\n\n")[0].splitlines()]
    assert [line[-1] for line in table] == ["verdict", "ok", "ERROR", "warning"]
    assert table[3][5:10] == ["LPS", "wat", "fat†", "inn", "opp"]
    assert "ERROR  case 02: contrast 'fat'" in out and "  → provide inn or fat itself." in out
    assert out.endswith("3 cases: 1 ERROR, 1 warning, 1 ok\n")
    assert "\x1b" not in out
    (tmp_path / "subjects.csv").write_text("case,subject\n01,a\n")
    status, out, _ = run(capsys, "check", tmp_path / "01")
    assert status == 0 and "Nothing" not in out and out.endswith("1 case: ok\n")


@pytest.mark.parametrize(
    ("terminal", "variables", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_verdicts_are_coloured_in_a_terminal(
    capsys, monkeypatch, tmp_path, write_case, terminal, variables, coloured
):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    write_case(tmp_path, "A1")
    _, out, _ = run(capsys, "check", tmp_path)
    assert ("\x1b[32mok\x1b[0m" in out) is coloured
    assert ("\x1b" in out) is coloured


def test_check_writes_a_page_and_json_at_once(capsys, tmp_path, write_case):
    write_case(tmp_path / "data", "A1", copy=("wat", "inn"))
    page = tmp_path / "out" / "check.html"
    status, out, _ = run(capsys, "check", tmp_path / "data", "--json", "--html", page)
    assert status == 0
    assert json.loads(out)["cases"][0]["copies"] == [["wat", "inn"]]
    assert "data:image/png;base64," in page.read_text(encoding="utf-8")


def test_check_reads_scans_as_the_other_commands_do(capsys, tmp_path, write_case):
    write_case(tmp_path, "A1", missing=["opp"], change={"Labels": lambda a: a * np.uint8(3)})
    status, out, _ = run(capsys, "check", tmp_path)
    assert status == 1 and "(--discs)" in out
    status, out, _ = run(capsys, "check", tmp_path, "--discs", "3")
    assert status == 0 and "opp†" in out
    status, out, _ = run(capsys, "check", tmp_path, "--discs", "3", "--no-derive-missing")
    assert status == 1 and "contrast 'opp' is missing" in out


def test_names_of_files_do_not_steer_the_terminal(capsys, tmp_path, write_case):
    for path in write_case(tmp_path, "A1", copy=("wat", "fat")).iterdir():
        path.rename(path.with_name(path.name.replace("A1", "A\x1b[2J")))
    status, out, _ = run(capsys, "check", tmp_path)
    assert status == 1
    assert "\x1b" not in out and "A\ufffd[2J" in out


HOSTILE = "A\x1b[2J\x1b]0;x\x07\u202e\rb"


PRINTS = """
import logging, os, sys, warnings
os.environ["IVDLIB_PROGRESS"] = "plain"
from ivdlib import cli, progress
from ivdlib.data.quality import checks
from ivdlib.errors import DataError, DataWarning

name, kind, *words = sys.argv[1:]
progress.PLAIN_SECONDS = 0

def examine(*_, **__):
    warnings.warn(name + "\\nlook.", DataWarning)
    warnings.warn(name)
    logging.getLogger("other").error(name)
    print(name)
    progress.say(name + "\\n")
    with progress.Progress(2, name + "\\n") as bar:
        bar.advance(note=name)
    raise {"DataError": DataError, "OSError": OSError, "RuntimeError": RuntimeError}[kind](name)

checks.examine = examine
sys.exit(cli.main(["check", "x", *words]))
"""


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize("kind", ["DataError", "OSError", "RuntimeError"])
def test_nothing_that_is_printed_steers_the_terminal(kind, debug):
    """Warnings, errors, tracebacks, progress and what commands print pass one gate."""
    words = [sys.executable, "-c", PRINTS, f"{HOSTILE}\nend", kind, *debug]
    done = subprocess.run(words, capture_output=True, check=False)
    seen = (done.stdout + done.stderr).decode()
    assert done.returncode and not set(seen) & set("\x1b\x07\r\u202e"), repr(seen)
    assert seen.count("A\ufffd[2J") >= 8
    assert "\ufffdend\ufffdlook.\n" in seen
    assert [line for line in seen.splitlines() if line.startswith("ivdlib:")][0].find("end") > 0


def test_a_bar_still_draws_and_a_pipe_gets_its_path(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("IVDLIB_PROGRESS", "bar")
    with redirect_stderr(Visible(sys.stderr)), progress.Progress(2, HOSTILE) as bar:
        bar.advance()
    err = capsys.readouterr().err
    assert "\r" in err and "A\ufffd[2J" in err and "\x1b]0" not in err

    path = tmp_path / HOSTILE
    monkeypatch.setattr("ivdlib.training.predict.predict_folder", lambda *_, **__: [path])
    words = ["predict", "x", "--weights", "w", "--out", "o"]
    assert run(capsys, *words)[1] == f"{path}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "\x1b" not in run(capsys, *words)[1]


BAD_GRIDS = {
    "unknown profile": (["--profile", "huge"], "unknown profile"),
    "unknown field": (["--set", "training.stepz=3"], "training.stepz"),
    "wrong type": (["--set", "training.steps=many"], "training.steps"),
    "no value": (["--set", "training.steps"], "FIELD=VALUE"),
    "unknown network": (["--networks", "resnet"], "resnet"),
    "one fold": (["--folds", "1"], "folds"),
    "unknown recipe": (["--recipe", "best"], "unknown recipe 'best'"),
}


@pytest.mark.parametrize(
    ("field", "text", "read"),
    [
        ("arms", "with", ("with",)),
        ("networks", "unet,fds_cnn", ("unet", "fds_cnn")),
        ("spine.region", "true", "true"),
        ("spine.region", "none", "none"),
        ("folds", "none", None),
        ("score_discs", "True", True),
        ("training.learning_rate", "1e-3", 1e-3),
        ("training.tile", "48,64", (48, 64)),
        ("training.steps", "many", "many"),
    ],
)
def test_values_are_read_as_their_field_needs(field, text, read):
    assert value(text, like=profiles.current(profiles.profile("paper"), field)) == read


@pytest.mark.parametrize("kind", BAD_GRIDS)
def test_grid_refuses_before_it_loads_anything(capsys, tmp_path, kind):
    arguments, word = BAD_GRIDS[kind]
    reports = tmp_path / "reports"
    status, _, err = run(capsys, "grid", *arguments, "--reports", reports)
    assert status == 1 and is_one_sentence(err) and word in err
    assert not reports.exists()


def grid(capsys, data, tmp_path, *more):
    reports = tmp_path / "reports"
    return run(capsys, "grid", "--profile", "test", "--data", data, "--reports", reports, *more)


def test_a_plan_writes_nothing(capsys, tmp_path, write_case):
    for name in ("A1", "B1"):
        write_case(tmp_path / "data", name)
    more = ("--plan", "--recipe", "better", "--set", "arms=stacked")
    status, out, _ = grid(capsys, tmp_path / "data", tmp_path, *more)
    assert status == 0 and "contrasts as channels: 2 of 2 trainings left" in out
    assert not (tmp_path / "reports").exists()


@pytest.mark.slow
def test_a_grid_leaves_tables_and_figures(capsys, tmp_path, write_case):
    for name in ("A1", "B1"):
        write_case(tmp_path / "data", name)
    words = ("--networks", "unet", "--set", "arms=without", "--set", "training.tile=16,16",
             "--set", "spine.region=none", "--name", "mine")  # fmt: skip
    status, out, err = grid(capsys, tmp_path / "data", tmp_path, *words)
    assert status == 0, err
    folder = tmp_path / "reports" / "mine"
    assert "Table 1. Networks trained WITHOUT fusion" in out and str(folder) in out
    drawn = {path.stem for path in (folder / "figures").iterdir()}
    assert {"learning_curves", "patients"} <= drawn


def test_grid_on_bad_data(capsys, tmp_path, write_case):
    empty = tmp_path / "empty"
    empty.mkdir()
    status, _, err = grid(capsys, empty, tmp_path)
    assert status == 1 and is_one_sentence(err)
    faults = {
        "missing": ({"missing": ["fat", "inn"]}, "fat"),
        "truncated": ({"truncated": "fat"}, "truncated"),
        "unlabelled": ({"labels": None}, "abel"),
    }
    for name, (fault, word) in faults.items():
        data = tmp_path / name
        write_case(data, "A1")
        write_case(data, "B1", **fault)
        status, _, err = grid(capsys, data, tmp_path)
        assert status == 1 and is_one_sentence(err) and word in err, (name, err)
    assert not (tmp_path / "reports").exists()


def test_grid_refuses_a_patient_on_both_sides(capsys, tmp_path, write_case):
    data = tmp_path / "data"
    for name in ("A1_01", "A1_02", "B1_01"):
        write_case(data, name)
    split = tmp_path / "split.csv"
    split.write_text("case,fold\nA1_01,1\nA1_02,2\nB1_01,2\n")
    status, _, err = grid(capsys, data, tmp_path, "--split", split)
    assert status == 1 and is_one_sentence(err)
    assert "patient A" in err


def test_ctrl_c_is_a_sentence_and_130(capsys, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ivdlib.phantom.make_phantom", interrupted)
    status, _, err = run(capsys, "phantom", tmp_path / "p")
    assert status == 130 and "interrupted" in err and "Traceback" not in err


class ResourceExhaustedError(Exception):
    """As TensorFlow raises it."""


@pytest.mark.parametrize("error", [
    MemoryError(), ResourceExhaustedError("no room for a tensor"),
    RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
])  # fmt: skip
def test_a_full_memory_is_a_sentence_in_every_backend(capsys, monkeypatch, tmp_path, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr("ivdlib.data.quality.checks.examine", full)
    (tmp_path / "x").mkdir()
    status, _, errors = run(capsys, "check", tmp_path / "x")
    assert status == 1 and "out of memory; use a smaller batch" in errors
    assert is_one_sentence(errors)


def test_output_of_a_narrow_encoding(tmp_path, write_case):
    """Redirected on Windows: arrows and dashes that it lacks are no reason to fail."""
    write_case(tmp_path / "data", "01")
    words = [sys.executable, "-m", "ivdlib", "check", str(tmp_path / "data")]
    narrow = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, env=narrow, check=False)
    wide = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == wide.returncode != 70
    assert len(done.stdout.splitlines()) == len(wide.stdout.splitlines()) > 3


def test_a_fault_of_ours_has_no_traceback_unless_asked(capsys, monkeypatch, tmp_path):
    def broken(*_, **__):
        raise RuntimeError("boom")

    monkeypatch.setattr("ivdlib.data.quality.checks.examine", broken)
    status, _, err = run(capsys, "check", tmp_path)
    assert status == 70 and "boom" in err and "--debug" in err
    status, _, err = run(capsys, "check", tmp_path, "--debug")
    assert status == 70 and "Traceback" in err and "RuntimeError: boom" in err


def save(path, array, affine=None):
    affine = np.diag([2.0, 1.25, 1.25, 1.0]) if affine is None else affine
    nib.save(nib.Nifti1Image(array.astype(np.uint8), affine), path)
    return path


def boxes():
    truth = np.zeros((10, 30, 40), dtype=np.uint8)
    truth[2:8, 10:20, 5:12] = 1
    truth[2:8, 10:20, 25:31] = 1
    return truth


def test_score_of_a_shifted_disc(capsys, tmp_path):
    truth, pred = boxes(), boxes()
    pred[:, :, 25:31] = 0
    pred[2:8, 10:20, 26:32] = 1  # the upper disc one voxel (1.25 mm) up: Dice 5/6
    a, b = save(tmp_path / "pred.nii.gz", pred), save(tmp_path / "truth.nii.gz", truth)
    status, out, _ = run(capsys, "score", a, b, "--json")
    found = json.loads(out)
    assert status == 0
    assert found["discs"][0]["dice"] == 1.0
    assert found["discs"][1]["dice"] == pytest.approx(5 / 6)
    assert found["discs"][1]["centre_distance_mm"] == pytest.approx(1.25)
    _, text, _ = run(capsys, "score", a, b)
    assert "0.8333" in text and "HD95" in text and "missed" not in text


def test_score_refuses_other_grids_and_labels(capsys, tmp_path):
    truth = save(tmp_path / "truth.nii.gz", boxes())
    other = save(tmp_path / "other.nii.gz", boxes()[:, :, 1:])
    status, _, err = run(capsys, "score", other, truth)
    assert status == 1 and is_one_sentence(err) and "has the shape" in err
    moved = np.diag([2.0, 1.25, 1.25, 1.0])
    moved[0, 3] = 5.0
    status, _, err = run(capsys, "score", save(tmp_path / "m.nii.gz", boxes(), moved), truth)
    assert status == 1 and is_one_sentence(err) and "5.0 mm" in err
    status, _, err = run(capsys, "score", save(tmp_path / "v.nii.gz", boxes() * 7), truth)
    assert status == 1 and is_one_sentence(err) and "--discs" in err


@pytest.mark.parametrize(
    "arguments",
    [("--precision", "float32"), ("--engine", "openvino", "--device", "gpu")],
    ids=["precision of keras", "openvino on a GPU"],
)
def test_predict_refuses_what_does_not_fit_its_engine(capsys, tmp_path, arguments):
    weights = tmp_path / "model.weights.h5"
    status, _, err = run(
        capsys, "predict", tmp_path, "--weights", weights, "--out", tmp_path / "out", *arguments
    )
    assert status == 1 and is_one_sentence(err) and arguments[-2] in err


def test_quick_commands_load_no_framework(tmp_path, write_case):
    write_case(tmp_path, "01")
    code = (
        "import sys; from ivdlib.cli import main; main(['check', sys.argv[1]]); "
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'matplotlib')))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_info_is_quiet_and_complete(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-m", "ivdlib", "info", "--json"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["versions"]["keras"] and found["backend"] and found["cores"] >= 1
    assert done.stderr == "", "the start-up chatter of the framework reaches the user"


@pytest.mark.parametrize("command", ["score", "report", "grid", "audit"])
def test_help_says_a_default_once(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "(default: )" not in text and "frozenset" not in text
    assert not re.search(r"\(default[^()]*\) \(default", text)


@pytest.mark.parametrize(
    "call", [["predict", "--clip=99,9"], ["prdict"], [], ["score", "--nothing"]]
)
def test_a_wrong_call_is_one_line_and_not_a_screen_of_options(capsys, call):
    status, _, err = run(capsys, *call)
    assert status == 2 and err.count("\n") == 1 and "--help" in err and err.endswith(".\n")


def test_a_reader_that_has_enough_is_no_error(tmp_path, write_case):
    for k in range(40):
        write_case(tmp_path, f"A{k % 10}_{k:02d}")
    words = [sys.executable, "-m", "ivdlib", "check", str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    told = process.stderr.read()
    assert process.wait() == cli.PIPED and "Broken pipe" not in told, told
