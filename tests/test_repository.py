"""The repository around the library: what a fresh clone needs, and what must not get into it."""

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import scripts
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ivdlib.course import lesson_versions
from ivdlib.report import edits

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOP_LEVEL = {
    *(
        "README.md",
        "RESULTS.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "CITATION.cff",
        "Makefile",
        "pyproject.toml",
        "environment.yml",
    ),
    *("requirements.lock", ".gitignore", ".ci", ".binder"),
    *("ivdlib", "notebooks", "data", "docs", "reports", "benchmarks", "tests"),
}
TARGETS = (
    *("help", "reproduce", "quick", "test", "test-all", "lab", "lesson", "notebooks", "book"),
    *("lock", "clean"),
)


def requirements(*extras: str) -> dict[str, Requirement]:
    """Dependencies of pyproject.toml, and of the extras named and theirs, by canonical name."""
    lines = list(PYPROJECT["project"]["dependencies"])
    for extra in extras:
        lines += PYPROJECT["project"]["optional-dependencies"][extra]
    found = {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}
    inner = found.pop("ivdlib", Requirement("ivdlib")).extras
    return found | (requirements(*inner) if inner else {})


def locked() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return {item.name: item for item in map(Requirement, lines)}


def tracked() -> list[str]:
    """Files that git has or would take in."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy is no git clone: what git tracks cannot be told")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in names.splitlines() if (ROOT / name).is_file()]


def environment() -> tuple[list[str], list[str]]:
    """What environment.yml takes from conda and what from pip."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    dependencies = yaml.safe_load(text)["dependencies"]
    (pip,) = [item["pip"] for item in dependencies if isinstance(item, dict)]
    return [item for item in dependencies if isinstance(item, str)], pip


# --- what is installed ---------------------------------------------------------------------------


def test_lock_holds_names_and_versions_only():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pin = re.compile(r"([a-z0-9.-]+)==[a-z0-9.]+( ; [a-z0-9_!=\" ]+)?")
    assert [line for line in lines if not pin.fullmatch(line)] == []
    assert lines == sorted(lines)
    assert [line.split("==")[0] for line in lines if ";" in line] == [
        "tensorflow-cpu",
        "tensorflow",
    ]


def test_lock_covers_the_package_and_its_tests_within_their_ranges():
    pins = {name: str(item.specifier).removeprefix("==") for name, item in locked().items()}
    wanted = requirements("cpu", "dev")
    assert sorted(wanted.keys() - pins.keys()) == []
    outside = [str(item) for name, item in wanted.items() if pins[name] not in item.specifier]
    assert outside == [], "run: make lock"


@pytest.mark.parametrize(
    ("system", "machine", "cpu", "gpu"),
    [
        ("linux", "x86_64", "tensorflow-cpu", "tensorflow[and-cuda]"),
        ("linux", "aarch64", "tensorflow", "tensorflow[and-cuda]"),
        ("darwin", "arm64", "tensorflow", "tensorflow"),
        ("win32", "AMD64", "tensorflow", "tensorflow"),
    ],
)
def test_each_machine_gets_one_tensorflow(system, machine, cpu, gpu):
    """Never two, for its builds share a folder; the lock has the one for the CPU."""
    here = {"sys_platform": system, "platform_machine": machine}

    def builds(items) -> list[str]:
        items = [item for item in items if item.name.startswith("tensorflow")]
        items = [item for item in items if not item.marker or item.marker.evaluate(here)]
        return [item.name + "".join(f"[{extra}]" for extra in item.extras) for item in items]

    extras = PYPROJECT["project"]["optional-dependencies"]
    assert builds(requirements().values()) == []
    assert builds(map(Requirement, extras["cpu"])) == builds(locked().values()) == [cpu]
    assert builds(map(Requirement, extras["gpu"])) == [gpu]
    assert locked()["tensorflow"].specifier == locked()["tensorflow-cpu"].specifier


def test_lock_brings_no_gpu_and_no_second_framework():
    heavy = re.compile(r"torch|jax|cuda|cudnn|nvidia|triton")
    assert [name for name in locked() if heavy.search(name)] == []


def test_make_and_readme_say_how_large_it_is():
    """Bare files, without compiled ones and a disk's blocks, are four fifths of the room taken."""
    if not list(metadata.distributions(name="tensorflow-cpu")):
        pytest.skip("another TensorFlow than the lock's is installed")
    here = [dist for name in locked() for dist in metadata.distributions(name=name)]
    size = sum(file.size or 0 for dist in here for file in dist.files) / 1e9
    told = [re.findall(r"([\d.]+) GB on disk", read(name)) for name in ("Makefile", "README.md")]
    assert told == [[f"{float(told[0][0])}"]] * 2
    assert 0.7 < size / float(told[0][0]) < 0.9


def test_environment_is_in_step_with_pyproject():
    conda, pip = environment()
    python = f"python {PYPROJECT['project']['requires-python']}"
    assert sorted(conda) == sorted([python, "pango", "pip"])
    assert pip[-1] == "--editable ."
    ours = {canonicalize_name(Requirement(line).name): Requirement(line) for line in pip[:-1]}
    wanted = requirements("cpu")
    del wanted["tensorflow-cpu"]  # the build with both, for one may add CUDA's libraries
    assert {name: item.specifier for name, item in ours.items()} == {
        name: item.specifier for name, item in wanted.items()
    }


def test_environment_says_why_beside_each_dependency():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    items = [line for line in lines if re.match(r"\s+- (?!conda-forge|pip:)", line)]
    assert [line for line in items if not re.search(r" # \w", line)] == []
    assert len(items) == len(requirements("cpu")) - 1 + 4  # one TensorFlow; Python, Pango, pip, us


@pytest.mark.slow
def test_pip_part_of_environment_installs(tmp_path):
    """Pip resolves it, and what requirements.lock brings, but for TensorFlow, is what it takes."""
    listed = tmp_path / "environment.txt"
    lines = [line for line in environment()[1][:-1] if not line.startswith("tensorflow")]
    listed.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "-r", str(listed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stdout


# --- what is in git ------------------------------------------------------------------------------


def test_top_level_names():
    there = {name.split("/")[0] for name in tracked()}
    assert sorted(there - TOP_LEVEL) == []
    assert sorted(TOP_LEVEL - there - {"benchmarks"}) == []


def test_no_addresses_and_no_paths_of_one_machine_in_git():
    registry = re.compile(r"index[-_]url|find[-_]links|https?://\S*(?:pypi|/simple\b)")
    machine = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w")
    found = []
    for name in tracked():
        if not (text := read(name)):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if registry.search(line) or machine.search(line):
                found.append(f"{name}:{number}: {line.strip()[:80]}")
    assert found == []


def read(name: str) -> str:
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_scans_weights_or_pickles_in_git():
    endings = (".nii", ".nii.gz", ".h5", ".keras", ".pkl", ".pickle", ".npy", ".npz", ".dcm")
    found = [name for name in tracked() if name.lower().endswith(endings)]
    sizes = {name: (ROOT / name).stat().st_size for name in found}
    old = [name for name in found if name.startswith("tests/training/old_weights/")]
    shipped = [name for name in found if re.fullmatch(r"ivdlib/weights/\w+/model.weights.h5", name)]
    assert sorted(old + shipped) == sorted(found)
    assert len(old) == 2 and sum(sizes[name] for name in old) < 200_000
    assert sum(sizes[name] for name in shipped) <= 8_000_000
    assert (ROOT / "ivdlib" / "weights" / "LICENSE").is_file()


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("data/ivdm3seg/01/01_fat.nii", True),
        ("data/phantom/subjects.csv", True),
        ("data/README.md", False),
        ("tests/scan.nii.gz", True),
        ("reports/smoke/record.json", True),
        ("reports/README.md", False),
        ("reports/status.md", False),
        ("reports/reference/smoke/tables/table1.csv", False),
        ("reports/reference/smoke/trainings/0/model.weights.h5", True),
        ("notebooks/01_data_loading.ipynb", False),
    ],
)
def test_git_ignores_data_and_experiments(tmp_path, path, ignored):
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    command = ["git", "-C", str(tmp_path), "check-ignore", "-q", "--no-index", path]
    assert (subprocess.run(command).returncode == 0) is ignored


def test_citation_names_package_and_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = PYPROJECT["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    (paper,) = citation["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Wang", "Gu", "Li"]
    assert paper["doi"] == "10.1007/978-3-030-13736-6_6"


def test_one_version():
    import ivdlib

    assert ivdlib.__version__ == PYPROJECT["project"]["version"]


# --- notebooks -----------------------------------------------------------------------------------


def build_script():
    return scripts.load("build")


def test_notebooks_are_in_step_with_their_source():
    assert build_script().out_of_step() == [], "run: make notebooks"


def test_notebooks_in_git_hold_no_outputs_and_nobodys_answers():
    def git(*words: str) -> bytes:  # what it holds, not what lies here: one may work in these
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout

    if not (ROOT / ".git").exists():
        pytest.skip("this copy is no git clone: what git tracks cannot be told")
    paths = git("ls-files", "notebooks/*.ipynb").decode().split()
    assert len(paths) >= 8
    for path in paths:
        text = git("show", f":{path}").decode()
        assert not edits.touched(nbformat.reads(text, as_version=4)), path


def test_a_notebook_out_of_step_is_told(tmp_path):
    build = build_script()
    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / "01_lesson.py"
    source.write_text('# %% [markdown]\n# # One\n\n# %% tags=["parameters"]\nn = 1\n')
    assert build.out_of_step(tmp_path) == ["01_lesson.ipynb"]
    text = lesson_versions.render_lesson(source)
    (tmp_path / "01_lesson.ipynb").write_text(text, encoding="utf-8")
    assert build.out_of_step(tmp_path) == []
    assert json.loads(text)["cells"][1]["metadata"]["tags"] == ["parameters"]
    (tmp_path / "02_stray.ipynb").write_text(text, encoding="utf-8")
    source.write_text(source.read_text().replace("n = 1", "n = 2"))
    assert build.out_of_step(tmp_path) == ["01_lesson.ipynb", "02_stray.ipynb"]


# --- a quick start -------------------------------------------------------------------------------

PROBE = """
import importlib, json, sys, time
start = time.process_time()
for name in {names}: importlib.import_module(name)
seconds = time.process_time() - start
slow = ["keras", "tensorflow", "jax", "torch", "pandas", "matplotlib", "sklearn"]
print(json.dumps([seconds, [name for name in slow if name in sys.modules]]))
"""


def import_afresh(*names: str) -> tuple[float, list[str]]:
    """Seconds to import `names` in a new process, and which slow packages came along."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(names=list(names))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, slow = json.loads(done.stdout)
    return seconds, slow


def test_import_is_quick_and_loads_no_framework():
    runs = [import_afresh("ivdlib") for _ in range(3)]
    assert {tuple(slow) for _, slow in runs} == {()}
    assert min(seconds for seconds, _ in runs) < 0.5


def test_cases_are_found_under_their_first_name():
    """Scripts of users, and the troubles from public reports, import them so."""
    code = (
        "import ivdlib.cases; from ivdlib.cases import load_case, save_mask; "
        "from ivdlib.data import cases; "
        "assert load_case is cases.load_case is ivdlib.cases.load_case"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


QUICK = ("data", "evaluation", "phantom")
LIBRARY = ROOT / "ivdlib"


def contracts() -> dict[str, dict]:
    return {c["id"]: c for c in PYPROJECT["tool"]["importlinter"]["contracts"]}


def test_the_linter_names_packages_and_the_ground_alone():
    """So that a new module needs no entry."""
    packages = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    ground = {path.stem for path in LIBRARY.glob("*.py")} - {"__init__", "__main__"}
    named = [re.split(r"[ :|]+", layer) for layer in contracts()["floors"]["layers"]]
    assert {name for layer in named for name in layer} == packages | ground
    assert len(packages) == 9 and len(named) <= 7 and set(named[-1]) == ground


def test_the_linter_keeps_frameworks_out_of_data_evaluation_and_phantom():
    quick = contracts()["quick"]
    assert {f"ivdlib.{name}" for name in QUICK} <= set(quick["source_modules"])
    assert {"keras", "tensorflow", "jax", "torch"} <= set(quick["forbidden_modules"])


def test_the_ground_loads_nothing_slow():
    _, slow = import_afresh(*(f"ivdlib.{path.stem}" for path in LIBRARY.glob("[a-z]*.py")))
    assert slow == []


# --- make ----------------------------------------------------------------------------------------


@pytest.fixture
def make(tmp_path):
    """Run make in a folder that holds the Makefile and nothing made; gives (status, all output)."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed: its targets cannot be tried")
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("data", "reports"):
        (tmp_path / name).mkdir()
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_text("numpy==1\n")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "PYTHON", "VENV"))}

    def run(*arguments: str, **variables: str) -> tuple[int, str]:
        done = subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=tmp_path,
            env=clean | variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        return done.returncode, done.stdout

    return run


def python_that(tmp_path: Path, script: str) -> str:
    """A stand-in for a Python: a shell script that answers as told."""
    path = tmp_path / "a_python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


NO_ENSUREPIP = 'case "$2" in *ensurepip*) exit 1;; esac'
PIP_LOG = (
    'case "$*" in "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";; '
    '*" install "*) echo "$*" >> pip.log; '
    '[ ! -e broken ] || { echo "ERROR: no such disk" >&2; exit 1; };; '
    "esac"
)


def test_make_alone_lists_the_targets(make):
    status, text = make()
    assert status == 0
    assert [target for target in TARGETS if f"make {target} " not in text] == []


@pytest.mark.parametrize("script", ["exit 127", "exit 1"])
def test_a_python_that_does_not_run_or_is_too_old_is_told(make, tmp_path, script):
    python = python_that(tmp_path, script)
    status, text = make("test", f"PYTHON={python}")
    assert status != 0
    assert f"PYTHON={python} is no Python 3.11, 3.12 or 3.13 that runs" in text
    assert not (tmp_path / ".venv").exists()


def test_a_missing_venv_package_is_named(make, tmp_path):
    status, text = make("test", f"PYTHON={python_that(tmp_path, NO_ENSUREPIP)}")
    assert status != 0
    assert "sudo apt-get install python3-venv" in text
    assert not (tmp_path / ".venv").exists()


def test_no_python_at_all_is_told(make, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "make", "rm", "sed", "awk"):
        (tools / name).symlink_to(shutil.which(name))
    status, text = make("python", PATH=str(tools))
    assert status != 0
    assert "No Python 3.11, 3.12 or 3.13 that runs was found" in text


def test_second_call_installs_nothing_again(make, tmp_path):
    python = python_that(tmp_path, PIP_LOG)
    status, text = make(".venv/.installed", f"PYTHON={python}")
    assert status == 0 and re.search(r"MB to download, .* GB on disk, .* minutes\.\n", text)
    assert len((tmp_path / "pip.log").read_text().splitlines()) == 2
    assert make(".venv/.installed", f"PYTHON={python}")[0] == 0
    assert len((tmp_path / "pip.log").read_text().splitlines()) == 2


def test_changed_lock_is_installed_into_the_same_environment(make, tmp_path):
    python = python_that(tmp_path, PIP_LOG)
    make(".venv/.installed", f"PYTHON={python}")
    (tmp_path / ".venv" / "mine").touch()
    os.utime(tmp_path / ".venv" / ".installed", (0, 0))
    assert make(".venv/.installed", f"PYTHON={python}")[0] == 0
    assert len((tmp_path / "pip.log").read_text().splitlines()) == 4
    assert (tmp_path / ".venv" / "mine").exists()


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="one build of TensorFlow"
)
def test_another_build_of_tensorflow_goes_before_the_lock_is_installed(make, tmp_path):
    shown = 'case "$3" in show) exit "$(cat none)";; uninstall) echo "$*" >> pip.log;; esac\n'
    python = python_that(tmp_path, shown + PIP_LOG)
    for none, calls in (("1", 2), ("1", 4), ("0", 7)):
        (tmp_path / "none").write_text(none)
        status, text = make("-B", ".venv/.installed", f"PYTHON={python}")
        assert status == 0 and ("makes room" in text) == (none == "0")
        log = (tmp_path / "pip.log").read_text().splitlines()
        assert len(log) == calls
    assert log[-3] == "-m pip uninstall -qqy tensorflow tensorflow-cpu"


def test_failed_installation_is_told_and_gone_on_with(make, tmp_path):
    python = python_that(tmp_path, PIP_LOG)
    (tmp_path / "broken").touch()
    status, text = make(".venv/.installed", f"PYTHON={python}")
    assert status != 0
    assert "ERROR: no such disk" in text
    assert "The installation failed; the lines above say why." in text
    (tmp_path / "broken").unlink()
    status, text = make(".venv/.installed", f"PYTHON={python}")
    assert status == 0
    assert "half-made" not in text


def test_interrupted_installation_is_made_anew(make, tmp_path):
    python = python_that(tmp_path, PIP_LOG)
    make(".venv/.installed", f"PYTHON={python}")
    (tmp_path / ".venv" / ".installed").unlink()
    (tmp_path / ".venv" / ".installing").touch()
    (tmp_path / ".venv" / "rubble").touch()
    status, text = make(".venv/.installed", f"PYTHON={python}")
    assert status == 0
    assert "half-made" in text
    assert not (tmp_path / ".venv" / "rubble").exists()
    assert not (tmp_path / ".venv" / ".installing").exists()


def test_clean_deletes_only_when_told(make, tmp_path):
    cache = tmp_path / "ivdlib" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "x.pyc").write_bytes(bytes(5000))
    report = tmp_path / "reports" / "mine" / "record.json"
    report.parent.mkdir()
    report.write_text("{}")
    status, text = make("clean")
    assert status == 0
    assert "./ivdlib/__pycache__" in text
    assert "make clean YES=1" in text
    assert cache.exists()
    assert make("clean", "YES=1")[0] == 0
    assert not cache.exists()
    assert report.exists()
    assert "Nothing to delete." in make("clean")[1]


def test_lesson_without_a_number_is_told(make, tmp_path):
    status, text = make("lesson", f"PYTHON={python_that(tmp_path, PIP_LOG)}")
    assert status != 0
    assert "make lesson N=05" in text


def test_ci_script_can_be_run():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0


def chosen(make, *targets: str) -> list[str]:
    """What the calls of pytest behind these targets choose by `-m`; nothing is run."""
    calls = [line for target in targets for line in make("-n", target)[1].splitlines()]
    return [shlex.split(call)[shlex.split(call).index("-m", 4) + 1] for call in calls
            if " -m pytest " in call]  # fmt: skip


def test_ci_runs_make_test_and_then_what_that_leaves_out(make):
    calls = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    targets = re.findall(r"^(?:exec )?make ([a-z-]+)$", calls, re.MULTILINE)
    assert targets[0] == "test" and calls.rstrip().endswith(f"exec make {targets[-1]}")
    assert chosen(make, "test") == ["not long"]
    assert chosen(make, *targets) == chosen(make, "test-all") == ["not long", "long"]


def test_make_quick_names_tests_that_are_there(make):
    named = [ROOT / word for word in make("-n", "quick")[1].split() if word.startswith("tests/")]
    assert len(named) > 5 and all(path.exists() for path in named)
    assert chosen(make, "quick") == ["not slow and not long"]


def test_markers_of_tests_are_registered_with_a_reason():
    options = PYPROJECT["tool"]["pytest"]["ini_options"]
    assert "--strict-markers" in options["addopts"]
    registered = dict(line.split(": ", 1) for line in options["markers"])
    assert {"slow", "long"} <= set(registered) and all(registered.values())
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    used = {name for text in texts for name in re.findall(r"\bpytest\.mark\.(\w+)", text)}
    assert used - {"parametrize", "skipif", "usefixtures", "filterwarnings"} == set(registered)
