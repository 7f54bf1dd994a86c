"""`reproduce`: the main job, the lessons in order into one experiment."""

from __future__ import annotations

import argparse

from ivdlib.cli.arguments import (
    add_experiment,
    add_machine,
    hand_down,
    need_to_train,
    print_results,
)


def add_reproduce(add) -> None:
    """Define `ivdlib reproduce`."""
    sub = add(
        "reproduce",
        "run all lessons in order, then write the tables and the report",
        "  ivdlib reproduce                                  the phantom, profile smoke\n"
        "  ivdlib reproduce --profile laptop --data data/ivdm3seg --name mine",
    )
    add_experiment(sub)
    add_machine(sub)
    sub.set_defaults(run=run_reproduce)


def run_reproduce(args: argparse.Namespace) -> int:
    """`ivdlib reproduce`."""
    need_to_train("report", "lessons")  # not after two lessons
    from ivdlib.course.lessons import reproduce

    hand_down(args)
    folder = reproduce(
        args.profile, args.data or "", args.name or "", args.reports or "", args.seeds or 0
    )
    print_results(folder)
    for report in sorted(folder.glob("report.*")):
        print(f"report:  {report}")
    if (picture := folder / "figures" / "06_shipped.png").is_file():
        print(f"a new scan, segmented by the weights that come with ivdlib: {picture}")
    return 0
