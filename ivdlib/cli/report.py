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
        "make a page and a PDF: of an experiment, a lesson to hand in, a whole class",
        "Each report is one HTML page, whole in itself, and a tagged PDF (PDF/UA). The network is\n"
        "not needed.\n\n"
        "  ivdlib report smoke --author 'Ann Lee' --course 'Imaging'   an experiment in reports/\n"
        "  ivdlib report --lesson 03 --author 'Ann Lee'    what you hand in: two pages\n"
        "  ivdlib report --lesson 03 --author 'Ann Lee' --whole    the whole lesson instead\n"
        "  ivdlib report --lesson 03 --blank               the exercise sheet of a lesson\n"
        "  ivdlib report --class course                    a PDF for each student, and marks.csv\n"
        "  ivdlib report --compare smoke mine              experiments side by side\n\n"
        "The two pages hold your answers, what the checks said, your points, and pictures of what\n"
        "your functions did. If you wrote much, they go on, and say so.\n"
        "If --class was interrupted, call it again: it goes on from what is done. Exit status "
        f"{LEFT_OUT}:\nsomebody handed in and could not be graded; the warnings say who and why.",
    )
    sub.add_argument(
        "name", nargs="*", metavar="NAME", help="an experiment: its name in reports/, or its folder"
    )
    sub.add_argument(
        "--lesson",
        metavar="N",
        help="a lesson: its number (your copy in my_lessons), or a notebook; with --class, only "
        "this one",
    )
    sub.add_argument("--blank", action="store_true", help="the exercise sheet of the lesson")
    sub.add_argument(
        "--class", dest="course_folder", metavar="DIR", help="a course folder of nbgrader"
    )
    sub.add_argument("--compare", nargs="+", metavar="NAME", help="two or more experiments")
    sub.add_argument("--author", metavar="NAME", default="", help="your name, for the first page")
    sub.add_argument("--course", metavar="NAME", default="", help="name of the course")
    sub.add_argument("--matriculation", metavar="NUMBER", default="", help="your student number")
    sub.add_argument("--whole", action="store_true", help="show the lesson from beginning to end")
    sub.add_argument(
        "--code", action="store_true", help="show the lessons' own code, too (with --whole)"
    )
    sub.add_argument(
        "--reports", metavar="DIR", help="the folder that holds experiments (default: reports)"
    )
    sub.add_argument(
        "--out", metavar="PATH", help="where to write, without .html and .pdf at the end"
    )
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
    lessons = args.lesson or args.course_folder
    if args.whole and not lessons:
        raise ConfigError("--whole is for a lesson or a class: ivdlib report --lesson N --whole.")
    if args.code and lessons and not (args.whole or args.blank):
        raise ConfigError("--code shows a lesson's own code: add --whole, or leave it out.")
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
    "blank": ("whole", "code", "reports"),
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
        made = hand_in.hand_in(
            notebook, author, _out(args, named or "lesson"), whole=args.whole, code=args.code
        )
        for told in made["copy"].troubles():
            print(f"note: {told}.", file=sys.stderr)
        _say_points(made["copy"], notebook)
        if made["long"]:
            print("note: it takes more than two pages, because so much was written.")
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
    made = class_reports.class_reports(
        course, args.lesson or "", author, whole=args.whole, code=args.code
    )
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
