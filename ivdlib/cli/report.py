"""`report`: pages and PDFs of experiments, of a student's lesson, of a class."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib import extras
from ivdlib.errors import ConfigError
from ivdlib.links import need_content

if TYPE_CHECKING:
    from ivdlib.course.points import Copy
    from ivdlib.report.record import Author


LEFT_OUT = 3
"""Exit status where all reports were written, but somebody who handed in could not be graded."""


def add_report(add) -> None:
    """Define `ivdlib report`."""
    sub = add(
        "report",
        "HTML and PDF: of an experiment, a student's lesson, a class, several experiments",
        "Everything is made offline; a page is one file, the PDF is tagged (PDF/UA).\n\n"
        "  ivdlib report smoke --author 'Ann Lee' --course 'Imaging'   an experiment of reports/\n"
        "  ivdlib report --lesson 03 --author 'Ann Lee'    your copy of a lesson, for handing in\n"
        "  ivdlib report --lesson 03 --blank               its exercise sheet\n"
        "  ivdlib report --class course                    one PDF a student, marks as CSV\n"
        "  ivdlib report --compare smoke mine              experiments side by side\n\n"
        f"Exit status {LEFT_OUT} of --class: somebody who handed in could not be graded; the "
        "warnings say who and why.",
    )
    sub.add_argument(
        "name", nargs="*", metavar="NAME", help="experiment: its name in reports/, or its folder"
    )
    sub.add_argument(
        "--lesson", metavar="N", help="its number (your copy in my_lessons), or a notebook"
    )
    sub.add_argument("--blank", action="store_true", help="with --lesson: the exercise sheet")
    sub.add_argument(
        "--class", dest="course_folder", metavar="DIR", help="nbgrader's course folder"
    )
    sub.add_argument("--compare", nargs="+", metavar="NAME", help="two or more experiments")
    sub.add_argument("--author", default="", help="for the title page")
    sub.add_argument("--course", default="", help="for the title page")
    sub.add_argument("--matriculation", default="", help="for the title page")
    sub.add_argument("--code", action="store_true", help="show the code of the lessons too")
    sub.add_argument("--reports", metavar="DIR", help="where experiments lie (default: reports)")
    sub.add_argument("--out", metavar="PATH", help="where it goes, without .html and .pdf")
    sub.set_defaults(run=run_report)


def run_report(args: argparse.Namespace) -> int:
    """`ivdlib report`."""
    wanted = [bool(args.name), bool(args.compare), bool(args.lesson or args.course_folder)]
    if len(args.name) > 1:
        raise ConfigError(
            "a report is about one experiment; several stand side by side with ivdlib report "
            f"--compare {shlex.join(args.name)}."
        )
    if sum(wanted) != 1:
        raise ConfigError(
            "say what to report on: the NAME of an experiment, --lesson N, --class DIR, or "
            "--compare NAME NAME."
        )
    if args.blank and (not args.lesson or args.course_folder):
        raise ConfigError("--blank is the sheet of one lesson: ivdlib report --lesson N --blank.")
    _refuse_idle(args)
    extras.need("lessons" if args.lesson or args.course_folder else "report")
    from ivdlib.report.record import Author

    author = Author(args.author, args.course, args.matriculation)
    if args.course_folder:
        return _class(args, author)
    made = _one(args, author)
    print(f"page: {made['html']}")
    print(f"PDF:  {made['pdf']}" if made["pdf"] else made["note"])
    return 0


IDLE = {
    "course_folder": ("author", "matriculation", "reports", "out"),
    "blank": ("code", "reports"),
    "lesson": ("reports",),
    "compare": ("code",),
}
"""Options that a kind of report does not heed."""


def _refuse_idle(args: argparse.Namespace) -> None:
    kind = next((kind for kind in IDLE if getattr(args, kind)), "")
    for option in IDLE.get(kind, ()):
        if getattr(args, option):
            what = "class" if kind == "course_folder" else kind
            where = ", whose reports go to reports/ in its folder" if what == "class" else ""
            raise ConfigError(f"--{option} does nothing with --{what}{where}; leave it out.")


def _one(args: argparse.Namespace, author: Author) -> Mapping[str, Any]:
    """What makes one page."""
    from ivdlib.course import hand_in, sheet
    from ivdlib.report import compare, experiment, pages

    if args.compare:
        folders = [_folder(name, args.reports) for name in args.compare]
        named = ("compare-" + "-".join(folder.name for folder in folders))[:60].rstrip(". ")
        return compare.build_comparison(folders, _out(args, named), author)
    if args.lesson:
        if args.blank:
            name, lesson, place = sheet.unanswered(args.lesson)
            print(f"exercises of {place}")
            return sheet.sheet(name, lesson, author, _out(args, f"{_slug(name)}-exercises"))
        notebook = hand_in.student_copy(args.lesson)
        named = "-".join(
            filter(None, (_slug(notebook.stem), _slug(author.matriculation or author.name)))
        )
        made = hand_in.hand_in(notebook, author, _out(args, named or "lesson"), code=args.code)
        for told in made["copy"].troubles():
            print(f"note: {told}.", file=sys.stderr)
        _say_points(made["copy"], notebook)
        return made
    folder = _folder(args.name[0], args.reports)
    page = experiment.render_report(folder, _expected(folder), author, code=args.code)
    return pages.write_report(_asked(args) or folder / "report", page)


def _say_points(copy: Copy, place: Path) -> None:
    """What the page says of each exercise, and what to do before it is handed in."""
    from ivdlib.course.points import NOT_RUN

    for result in copy.results:
        points = "–" if result.points is None else f"{result.points:g}"
        print(f"  {result.title}: {result.state}, {points} of {result.most:g}")
    if all(result.state.startswith("not ") for result in copy.results):
        print(
            f"note: nothing is answered in {place}; answer, run all cells, save, and call this "
            "again."
        )
    elif idle := sum(result.state == NOT_RUN for result in copy.results):
        print(
            f"note: {idle} check{'s have' if idle > 1 else ' has'} not been run in {place}; run "
            "all cells, save, and call this again."
        )


def _class(args: argparse.Namespace, author: Author) -> int:
    from ivdlib.course import class_reports

    course = Path(args.course_folder)
    made = class_reports.class_reports(course, args.lesson or "", author, code=args.code)
    for path in made.paths:
        print(f"report: {path}")
    print(f"marks:  {made.table}")
    for told in made.odd:
        print(f"note: {told}.", file=sys.stderr)
    for told in made.left_out:
        print(f"warning: not graded: {told}.", file=sys.stderr)
    return LEFT_OUT if made.left_out else 0


def _folder(name: str, reports: str | None) -> Path:
    """Folder of an experiment: in `reports`, else as a path."""
    from ivdlib import provenance

    base = Path(reports) if reports else provenance.root() / "reports"
    for place in (base / name, Path(name)):
        need_content(place)
        if place.is_dir():
            return place
    known = sorted(path.parent.name for path in base.glob("*/record.json"))
    there = f"there are {', '.join(known)}" if known else "there is none"
    if not base.is_dir():
        there = "that folder is not there"
    raise ConfigError(f"there is no experiment {name} in {base}; {there}.")


def _expected(folder: Path) -> list[str]:
    """Lessons that an experiment should have: all, if it comes from lessons."""
    from ivdlib.course import lessons

    return [path.stem for path in lessons.series()] if (folder / "notebooks").is_dir() else []


def _out(args: argparse.Namespace, name: str) -> Path:
    from ivdlib import provenance

    return _asked(args) or provenance.root() / "reports" / "coursework" / name


def _asked(args: argparse.Namespace) -> Path | None:
    """What `--out` names, without the ending that both files get their own of."""
    path = Path(args.out) if args.out else None
    return path.with_suffix("") if path and path.suffix.lower() in {".html", ".pdf"} else path


def _slug(text: str) -> str:
    """A name as a part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:60]
