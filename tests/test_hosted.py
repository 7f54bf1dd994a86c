"""What services that build from a repository (repo2docker) read, and the recipe for JupyterHub."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / ".binder"


def test_the_image_has_a_python_and_packages_that_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, _, version = (BINDER / "runtime.txt").read_text().strip().partition("-")
    assert name == "python" and version in SpecifierSet(project["requires-python"])
    wanted = (BINDER / "requirements.txt").read_text().split("\n")
    assert wanted == [
        "-r ../requirements.lock",
        "-e .[cpu]",
        "",
    ]  # -r: from this file; -e: from the top
    assert (BINDER / "../requirements.lock").is_file()


def test_the_last_step_puts_the_lessons_where_the_address_opens_them(tmp_path):
    assert os.access(BINDER / "postBuild", os.X_OK)
    command = re.search(r"exec python (.*)", (BINDER / "postBuild").read_text())[1].split()
    words = [sys.executable, *command, str(tmp_path / "mine")]
    subprocess.run(words, check=True, cwd=ROOT, capture_output=True)
    recipe = (ROOT / "notebooks" / "HOSTED.md").read_text(encoding="utf-8")
    opened = re.findall(r"tree/my_lessons/(\w+\.ipynb)", recipe)
    assert len(opened) == 2 and all((tmp_path / "mine" / name).is_file() for name in opened)


def session() -> str:
    """The script of the recipe that begins a student's session."""
    recipe = (ROOT / "notebooks" / "HOSTED.md").read_text(encoding="utf-8")
    block = re.search(r"^    #!/bin/sh\n(?:    .*\n)+", recipe, re.MULTILINE)[0]
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


def test_a_students_session_finds_shared_data_and_begins_in_a_folder_of_its_own(tmp_path):
    """As the recipe has it, but for where the course lies; its two programs say where they are."""
    course, home = tmp_path / "course", tmp_path / "home"
    for folder in (
        "notebooks/src",
        "reports/smoke",
        "reports/reference",
        "data/phantom",
        ".venv/bin",
    ):
        (course / folder).mkdir(parents=True)
    (course / "pyproject.toml").write_text('[project]\nname = "ivdlib"\n')
    (course / "data" / "phantom" / "scan").write_text("shared")
    for name in ("ivdlib", "jupyterhub-singleuser"):
        program = course / ".venv" / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $* in $PWD"\n')
        program.chmod(0o755)
    script = session().replace("/srv/ivdlib", str(course))
    home.mkdir()
    for _ in range(2):  # a second visit finds everything as it was left
        words = ["sh", "-c", script, "session", "--port=1"]
        env = os.environ | {"HOME": str(home)}
        done = subprocess.run(words, text=True, check=True, capture_output=True, env=env)
        mine = home / "ivdlib"
        assert done.stdout.splitlines() == [
            f"ivdlib start in {mine}", f"jupyterhub-singleuser --port=1 in {mine}"
        ]  # fmt: skip
    assert (mine / "data" / "phantom").is_symlink() and (mine / "notebooks" / "src").is_dir()
    assert not (mine / "reports" / "smoke").is_symlink()
    assert (mine / "data" / "phantom" / "scan").read_text() == "shared"
