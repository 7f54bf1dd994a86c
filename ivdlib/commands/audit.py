"""`audit`: every declared experiment, then the page of claims."""

from __future__ import annotations

import argparse
from pathlib import Path

from ivdlib.commands.arguments import add_machine, add_workers, configure


def audit(add) -> None:
    """Define `ivdlib audit`."""
    sub = add(
        "audit",
        "run the declared experiments and judge the paper's claims by them",
        "Says what is left and how long it takes, does it, and writes AUDIT.md; the experiments "
        "lie in\nthe folder audit beside it. Experiments whose data are not here are left out, by "
        "name.\n\n"
        "  ivdlib audit --plan\n"
        "  ivdlib audit benchmarks/audit/crops.toml --reports reports/mine",
    )
    sub.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="default: benchmarks/audit/*.toml"
    )
    sub.add_argument(
        "--reports", metavar="DIR", help="where AUDIT.md is written (default: reports)"
    )
    sub.add_argument("--plan", action="store_true", help="say what is left; train nothing")
    sub.add_argument(
        "--page", action="store_true", help="train nothing; write the page from what is finished"
    )
    add_workers(sub)
    add_machine(sub)
    sub.set_defaults(run=run_audit)


def run_audit(args: argparse.Namespace) -> int:
    """`ivdlib audit`."""
    from ivdlib import audit_page, declared, places
    from ivdlib.errors import ConfigError, DataError

    reports = Path(args.reports) if args.reports else places.reports_folder()
    folder = reports / audit_page.FOLDER
    paths = args.files or sorted((places.root() / "benchmarks" / "audit").glob("*.toml"))
    if not paths:
        raise ConfigError("there are no declared experiments here; name their files.")
    wanted = [declared.load(path) for path in paths]
    configure(args)
    from ivdlib import plan
    from ivdlib.experiment import Experiment

    experiments = []
    for one in wanted:
        try:
            data = one.folder()
        except DataError as error:
            print(f"left out: {error}")
            continue
        begun = any((folder / one.name / "trainings").glob("*/record.json"))
        if args.page and not begun:
            continue
        made = Experiment(
            one.name, one.profile, data, overrides=one.overrides, reports=folder,
            claim=not args.plan,
        )  # fmt: skip
        if not args.page:
            print(plan.text(f"{one.name} ({one.about})", plan.plan(made)))
        experiments.append(made)
    if args.plan:
        return 0
    for made in experiments:
        made.collect() if args.page else made.run(args.workers)
    if experiments or args.page:
        print(f"audit: {audit_page.write(reports)}")
    return 0
