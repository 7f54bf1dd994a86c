"""Execute one lesson by papermill, in a kernel of its own on the Python that calls this.

The executed copy gets its name only when the lesson came to its end; one that failed is kept as
`NN_name.failed.ipynb`.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from ivdlib import files
from ivdlib.course.parameters import checked_values
from ivdlib.errors import IvdlibError
from ivdlib.progress import duration, say
from ivdlib.report import edits, shortening
from ivdlib.report import notebook as notebook_page
from ivdlib.training import workers


class _Kernel(AsyncKernelManager):
    """A kernel on the running Python: an installed kernel of the same name may be another one."""

    @property
    def kernel_spec(self) -> KernelSpec:
        inline = "module://matplotlib_inline.backend_inline"
        env = {"IVDLIB_PROGRESS": "plain", "MPLBACKEND": inline}
        return KernelSpec(**get_kernel_dict(), env=workers.KEPT | env)

    async def start_kernel(self, **kw: Any) -> None:
        """Start it without the terminal: what it writes is in the notebook, and passed on."""
        await super().start_kernel(**kw, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class _Narrator:
    """Tell in the terminal how far a lesson is, and pass on what its kernel writes to stderr."""

    def __init__(self, title: str, cells: int) -> None:
        self.title, self.cells, self.begin = title, cells, time.monotonic()
        self.cell, self.section, self._told, self._rest = 0, "", None, ""

    @property
    def spent(self) -> str:
        """Time since the lesson began."""
        return duration(time.monotonic() - self.begin)

    def cell_starts(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        """Note the section; say where a new one starts to compute."""
        self.cell = cell_index + 1
        if cell.cell_type == "markdown":
            heads = [line for line in cell.source.splitlines() if line.startswith("#")]
            self.section = heads[-1].lstrip("# ") if heads else self.section
        elif cell.cell_type == "code" and self.section != self._told:
            self._told = self.section
            say(f"  {self.title}: cell {self.cell}/{self.cells}, {self.spent}: {self.section}")

    def write(self, text: str) -> None:
        """Pass whole lines on; papermill calls this with pieces of the kernel's stderr."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                say(f"    {line.rstrip()}")

    def flush(self) -> None:
        """Nothing to do: `write` keeps back only what is no whole line yet."""


def execute_lesson(
    notebook: str | os.PathLike, parameters: Mapping[str, Any], output: str | os.PathLike
) -> Path:
    """Run a lesson with these parameters and write the executed copy.

    A copy of an earlier run that somebody has edited is moved aside, see `edits`.

    Parameters
    ----------
    notebook : path
        The lesson, see `find_lesson`.
    parameters : mapping
        Values by name; the others keep their defaults.
    output : path
        Where the executed copy goes, `NN_name.ipynb`.

    Returns
    -------
    Path
        `output`.

    Raises
    ------
    ConfigError
        If a parameter is unknown or of a wrong type.
    IvdlibError
        If a cell fails or the kernel dies; the copy up to there is `NN_name.failed.ipynb`.
    """
    notebook, output = Path(notebook), Path(output)
    values = checked_values(notebook, parameters)
    failed = output.with_suffix(".failed.ipynb")
    narrator = _Narrator(notebook.stem, len(edits.opened(notebook).cells))
    with files.atomic(output) as temporary:
        try:
            done = papermill.execute_notebook(
                _no_fields(notebook),
                _no_fields(temporary),
                values,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                stderr_file=narrator,
                kernel_manager_class=_Kernel,
                on_cell_start=narrator.cell_starts,
                store_widget_state=False,
            )
        except (PapermillExecutionError, RuntimeError, TimeoutError) as error:
            if done := edits.read_or_none(temporary):
                _finish(done, temporary, notebook.name, failed)
                os.replace(temporary, failed)
            raise IvdlibError(f"{_why(notebook, narrator, error)}; see {failed}.") from error
        _finish(done, temporary, notebook.name, output)
    _keep(failed)
    failed.unlink(missing_ok=True)
    return output


def _finish(done: nbformat.NotebookNode, temporary: Path, lesson: str, output: Path) -> None:
    """Write an executed copy with its names; what stands at `output` may be somebody's work.

    Nothing of it stands in a red box, which looks like an error: lines of progress have done their
    work in the terminal, and the rest of stderr is for readers, too.
    """
    for cell in (cell for cell in done.cells if "outputs" in cell):
        cell.outputs = notebook_page.without_noise(cell.outputs)
        for printed in (out for out in cell.outputs if out.output_type == "stream"):
            printed.name = "stdout"
        cell.outputs = shortening.settled(cell.outputs)
    done.metadata.papermill.update(input_path=lesson, output_path=output.name)
    edits.stamp(done)
    nbformat.write(done, temporary)
    _keep(output)


def _keep(earlier: Path) -> None:
    """Move the copy of an earlier run aside if somebody has written into it since."""
    if earlier.is_file() and edits.edited(edits.read_or_none(earlier)):
        say(f"kept: {earlier} was edited, and is now {files.set_aside(earlier)}")


def _no_fields(path: Path) -> str:
    """A path for papermill, which takes braces in a path for fields to fill."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _why(notebook: Path, narrator: _Narrator, error: Exception) -> str:
    """One sentence (without its full stop): which lesson, where, what."""
    where = f" ({narrator.section})" if narrator.section else ""
    if isinstance(error, PapermillExecutionError):
        ours = {kind.__name__ for kind in (IvdlibError, *IvdlibError.__subclasses__())}
        text = (error.evalue.strip().splitlines() or [""])[-1]
        text = text if error.ename in ours else f"{error.ename}: {text}"
        text = text.rstrip(".")
        return f"lesson {notebook.stem} stopped in cell [{error.exec_count}]{where}: {text}"
    if isinstance(error, DeadKernelError):
        died = "its kernel died, most often because memory ran out"
        return f"lesson {notebook.stem} stopped in cell {narrator.cell}{where}: {died}"
    return f"the kernel for lesson {notebook.stem} did not start or answer: {error}"
