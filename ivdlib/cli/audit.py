"""`audit`: every declared experiment, then the page of claims."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ivdlib.cli.arguments import add_machine, add_workers, configure_machine, need_to_train
from ivdlib.errors import CannotWrite, ConfigError, DataError, IvdlibError

if TYPE_CHECKING:
    from ivdlib.training.declared import Declared
    from ivdlib.training.experiment import Experiment


def add_audit(add) -> None:
    """Define `ivdlib audit`."""
    sub = add(
        "audit",
        "run the declared experiments and judge the paper's claims by them",
        "It says what is left to do and how long that takes, does it, and writes AUDIT.md. The "
        "experiments\nlie in the folder audit beside it. If the data of an experiment are not "
        "here, the experiment is\nnamed and left out. With nothing of\nyour own, --page writes "
        "the page of the results that come with ivdlib.\n\n"
        "  ivdlib audit --plan\n"
        "  ivdlib audit benchmarks/audit/crops.toml --reports reports/mine",
    )
    sub.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="declared experiments (default: benchmarks/audit/*.toml)",
    )
    sub.add_argument("--reports", metavar="DIR", help="where to write AUDIT.md (default: reports)")
    sub.add_argument(
        "--plan",
        action="store_true",
        help="only say what is left to do; of an experiment that is named, the phantom is made "
        "first, because its scans tell how many trainings there are",
    )
    sub.add_argument(
        "--page", action="store_true", help="only write the page, from what is finished"
    )
    add_workers(sub)
    add_machine(sub)
    sub.set_defaults(run=run_audit)


def run_audit(args: argparse.Namespace) -> int:
    """`ivdlib audit`."""
    from ivdlib import provenance

    need_to_train()
    from ivdlib.report.audit import page
    from ivdlib.training import declared, workers
    from ivdlib.training.run import collect, run

    if args.page and not args.files and not args.reports and not _own_results():
        print(f"audit: {page.write_audit(_kept_results())}")
        return 0
    reports = Path(args.reports) if args.reports else provenance.reports_folder()
    paths = args.files or sorted(provenance.brought("benchmarks/audit").glob("*.toml"))
    if not paths:
        raise ConfigError(
            "no declared experiments come with this copy of ivdlib; name their files, or get the "
            "whole repository (git clone, or unpack its ZIP)."
        )
    wanted = [declared.load(path) for path in paths]
    configure_machine(args)
    faults: list[str] = []
    experiments = list(_experiments(args, wanted, reports / page.FOLDER, faults))
    # A file named by hand is asked for; of those that come with ivdlib some need data few have.
    lacking = bool(args.files) and not args.page and len(experiments) < len(wanted)
    for made in experiments if not args.plan else ():
        with _going_on(made.name, faults):
            collect(made) if args.page else run(made, args.workers or workers.most_useful(made))
    if (experiments or args.page) and not args.plan:
        print(f"audit: {page.write_audit(reports)}")
    return int(lacking or bool(faults))


def _own_results() -> bool:
    """Whether some experiment of an audit was begun here."""
    from ivdlib import provenance
    from ivdlib.report.audit import page

    return any((provenance.reports_folder() / page.FOLDER).glob("*/record.json"))


def _kept_results() -> Path:
    """Folder of the results that come with ivdlib; outside a checkout it is a copy, made now."""
    from ivdlib import provenance

    brought = provenance.brought("reports/reference")
    if not brought.is_dir():
        raise DataError(
            "no results come with this copy of ivdlib; get the whole repository (git clone, or "
            "unpack its ZIP), or run ivdlib audit."
        )
    place = provenance.reports_folder() / brought.name
    print(
        "audit: no experiment of yours is there; the page is made from the results that come with "
        f"ivdlib, in {place}"
    )
    if place.resolve() != brought.resolve():
        site = shutil.ignore_patterns("course")  # pages of the course, none of the audit
        try:
            shutil.copytree(brought, place, ignore=site, dirs_exist_ok=True)
        except shutil.Error as error:
            _, path, why = error.args[0][0]
            raise CannotWrite(f"cannot write {path}: {why}; mend that and call again.") from error
    return place


@contextmanager
def _going_on(name: str, faults: list[str]) -> Iterator[None]:
    """Say what is wrong with an experiment, and go on with the others; a full disk stops all."""
    try:
        yield
    except CannotWrite:
        raise
    except IvdlibError as error:
        print(f"ivdlib: {name} stopped: {error}", file=sys.stderr)
        faults.append(name)


def _experiments(
    args: argparse.Namespace, wanted: Sequence[Declared], folder: Path, faults: list[str]
) -> Iterator[Experiment]:
    """Open the declared experiments whose data are here, for `--page` those that were begun."""
    from ivdlib.data.remarks import listed
    from ivdlib.training import plan
    from ivdlib.training.declared import BRING
    from ivdlib.training.experiment import Experiment

    waiting: dict[str, list[str]] = {}  # data that are not there, and what they would be for
    for one in wanted:
        begun = any((folder / one.name / "trainings").glob("*/record.json"))
        if args.page and not begun:
            continue
        try:
            absent = [] if args.files or begun else one.absent()
            data = [] if absent else one.folders()
        except DataError as error:
            kept = "; what is finished of it stays on the page" if begun else ""
            print(f"left out: {error}{kept}")
            continue
        for name in absent:
            waiting.setdefault(name, []).append(one.name)
        if absent:
            continue
        if args.plan and not (data or args.files) and (told := _phantom_to_come(one)):
            print(told)
            continue
        made = None
        with _going_on(one.name, faults):
            made = Experiment(
                one.name, one.profile, data, overrides=one.overrides, reports=folder,
                claim=not args.plan,
            )  # fmt: skip
        if made is None:
            continue
        for sentence in one.short_of(made):
            print(f"{one.name}: {sentence}.")
        if not args.page:
            about = f" ({one.about})" if one.about else ""
            print(plan.plan_text(f"{one.name}{about}", plan.plan(made)))
        yield made
    for name, names in waiting.items():
        which = names[0] if len(names) == 1 else f"{len(names)} experiments ({listed(names)})"
        print(f"left out: {which}, because {name} is not there; {BRING}.")


def _phantom_to_come(one: Declared) -> str:
    """Say that the phantom of an experiment is not there yet; "" if it is.

    Which trainings are left is told from the scans, and a plan should not take minutes unasked.
    """
    from ivdlib import profiles
    from ivdlib.training.experiment import phantom_folder

    profile = profiles.profile(one.profile, one.overrides)
    place = phantom_folder(profile)
    if (place / "phantom.csv").is_file():
        return ""
    scans = profile.phantom.subjects * profile.phantom.stages
    return (
        f"{one.name} ({one.about}): its phantom of {scans} scans is not made yet; to make it and "
        f"count the trainings: ivdlib audit benchmarks/audit/{one.name}.toml --plan"
    )
