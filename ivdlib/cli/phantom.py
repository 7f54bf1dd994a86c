"""`phantom`: synthetic scans."""

from __future__ import annotations

import argparse

from ivdlib.cli.arguments import positive, value
from ivdlib.phantom.conditions import RATES, Conditions

CONDITIONS = {
    "noise": "standard deviation over the signal of a healthy nucleus",
    "swap": "probability that a region of a scan has water and fat exchanged",
    "jitter_mm": "standard deviation of the rater's outline; 0: exact labels",
    "artefacts": "factor on ghosts, wrap, ringing; 0: none",
    "variety": "how far people and scanners differ, 1 as published",
}
"""Numbers among the conditions, and what the help says of them."""


def add_phantom(add) -> None:
    """Define `ivdlib phantom`."""
    sub = add(
        "phantom",
        "make synthetic Dixon scans in the layout of the challenge",
        "If it is interrupted, call it again: it goes on where it stopped, and leaves no half\n"
        "scans. The same seed gives the same files, byte for byte, with any number of workers.",
    )
    sub.add_argument("out", nargs="?", help="folder to make (default: data/phantom)")
    sub.add_argument("--subjects", type=int, default=8, help="number of people")
    sub.add_argument(
        "--stages", type=int, default=2, help="scans of each person, as before and after"
    )
    sub.add_argument("--seed", type=int, default=0, help="seed of all random numbers")
    sub.add_argument(
        "--slices", type=int, default=36, help="number of sagittal slices, the central ones"
    )
    sub.add_argument(
        "--in-plane", type=int, default=256, help="pixels along each side of a slice of 320 mm"
    )
    sub.add_argument("--workers", type=positive, help="processes (default: all cores)")
    sub.add_argument(
        "--rate",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "SHARE"),
        help=f"how common a finding is, 0 to 1; {', '.join(RATES)}",
    )
    for name, text in CONDITIONS.items():
        default = getattr(Conditions(), name)
        flag = f"--{name.replace('_', '-')}"
        sub.add_argument(flag, type=float, default=default, metavar="X", help=text)
    sub.add_argument(
        "--report", action="store_true", help="compare it with real scans: writes OUT/phantom.html"
    )
    sub.set_defaults(run=run_phantom)


def run_phantom(args: argparse.Namespace) -> int:
    """`ivdlib phantom`."""
    from ivdlib import provenance
    from ivdlib.phantom import make_phantom

    out = args.out or provenance.data_folder() / "phantom"
    rates = {name: value(share) for name, share in args.rate}
    make_phantom(
        out,
        subjects=args.subjects,
        stages=args.stages,
        seed=args.seed,
        slices=args.slices,
        in_plane=args.in_plane,
        workers=args.workers or provenance.cores(),
        conditions=Conditions(rates=rates, **{name: getattr(args, name) for name in CONDITIONS}),
    )
    print(f"phantom: {args.subjects} subjects × {args.stages} stages in {out}")
    if args.report:
        from ivdlib.report.phantom_page import write_phantom_page

        print(f"report:  {write_phantom_page(out)}")
    return 0
