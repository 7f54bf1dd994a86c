"""`lesson`: one lesson by papermill."""

from __future__ import annotations

import argparse

from ivdlib.cli.arguments import add_machine, hand_down, need_to_train


def add_lesson(add) -> None:
    """Define `ivdlib lesson`."""
    sub = add(
        "lesson",
        "run one lesson from top to bottom, without Jupyter",
        "The executed copy goes to the folder of the experiment.\n\n"
        "  ivdlib lesson 05 -p profile laptop -p data_dir data/ivdm3seg",
    )
    sub.add_argument("number", help="its number, such as 05 or 01b")
    sub.add_argument(
        "-p",
        "--parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="set a parameter of the lesson; may be given several times",
    )
    add_machine(sub)
    sub.set_defaults(run=run_lesson)


def run_lesson(args: argparse.Namespace) -> int:
    """`ivdlib lesson`."""
    need_to_train("lessons")  # not after the scans of a phantom
    from ivdlib.course import lessons

    hand_down(args)
    print(f"executed: {lessons.lesson(args.number, dict(args.parameter))}")
    return 0
