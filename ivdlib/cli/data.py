"""`phantom`, `score`, `info`: no network is built."""

from __future__ import annotations

import argparse
import os

from ivdlib.cli.arguments import numbers, positive, value
from ivdlib.errors import SomeFailed
from ivdlib.files import json_text
from ivdlib.phantom.conditions import RATES, Conditions


def phantom(add) -> None:
    """Define `ivdlib phantom`."""
    sub = add(
        "phantom",
        "make synthetic Dixon scans in the layout of the challenge",
        "Interrupted, it leaves whole scans only; called again, it goes on where it stopped.\n"
        "The same seed gives the same bytes, with any number of workers.",
    )
    sub.add_argument("out", nargs="?", help="folder to make (default: data/phantom)")
    sub.add_argument("--subjects", type=int, default=8, help="number of people")
    sub.add_argument("--stages", type=int, default=2, help="scans a person, as before and after")
    sub.add_argument("--seed", type=int, default=0, help="of everything")
    sub.add_argument("--slices", type=int, default=36, help="the central sagittal slices")
    sub.add_argument("--in-plane", type=int, default=256, help="pixels a side over 320 mm")
    sub.add_argument("--workers", type=positive, help="processes (default: all cores)")
    sub.add_argument(
        "--rate",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "SHARE"),
        help=f"how common a finding is, 0 to 1; {', '.join(RATES)}",
    )
    for name, text in (
        ("noise", "standard deviation over the signal of a healthy nucleus"),
        ("swap", "probability that a region of a scan has water and fat exchanged"),
        ("jitter-mm", "standard deviation of the rater's outline; 0: exact labels"),
        ("artefacts", "factor on ghosts, wrap, ringing; 0: none"),
        ("variety", "how far people and scanners differ, 1 as published"),
    ):
        default = getattr(Conditions(), name.replace("-", "_"))
        sub.add_argument(f"--{name}", type=float, default=default, metavar="X", help=text)
    sub.add_argument(
        "--report", action="store_true", help="measure it against real scans: OUT/phantom.html"
    )
    sub.set_defaults(run=run_phantom)


def run_phantom(args: argparse.Namespace) -> int:
    """`ivdlib phantom`."""
    from ivdlib import places, provenance
    from ivdlib.phantom import make_phantom

    out = args.out or places.data_folder() / "phantom"
    make_phantom(
        out,
        subjects=args.subjects,
        stages=args.stages,
        seed=args.seed,
        slices=args.slices,
        in_plane=args.in_plane,
        workers=args.workers or provenance.cores(),
        conditions=_conditions(args),
    )
    print(f"phantom: {args.subjects} subjects × {args.stages} stages in {out}")
    if args.report:
        from ivdlib.report.phantom_page import write_page

        print(f"report:  {write_page(out)}")
    return 0


def _conditions(args: argparse.Namespace) -> Conditions:
    """Collect pathology, noise and the like from the command line."""
    rates = {name: value(share) for name, share in args.rate}
    names = ("noise", "swap", "jitter_mm", "artefacts", "variety")
    return Conditions(rates=rates, **{name: getattr(args, name) for name in names})


def score(add) -> None:
    """Define `ivdlib score`."""
    sub = add(
        "score",
        "score predicted masks against the truth",
        "Two NIfTI files, or a folder of CASE_Discs.nii.gz and a folder of labelled cases.\n"
        "Dice of the volume and of its slices; per disc Dice, average surface distance, 95 %\n"
        "Hausdorff distance and distance of the centres (challenge-style: a disc is a connected\n"
        "piece of one label of the truth, and a predicted voxel belongs to the nearest one). Of a\n"
        "folder also the means over scans; exit status 1 where one cannot be scored: it is named,\n"
        "and the others are scored.",
    )
    sub.add_argument("pred", help="mask, or folder of masks")
    sub.add_argument("truth", help="labels, or folder of cases")
    sub.add_argument(
        "--discs",
        type=numbers,
        metavar="N[,N]",
        help="label values of the truth that are disc (default: dataset.json, else 1)",
    )
    sub.add_argument("--json", action="store_true", help="for machines: one JSON document")
    sub.set_defaults(run=run_score)


def run_score(args: argparse.Namespace) -> int:
    """`ivdlib score`."""
    from ivdlib.evaluation.scoring import conventions, score_files, score_folders

    if not os.path.isdir(args.pred):
        scores = score_files(args.pred, args.truth, args.discs)
        print(json_text(scores)) if args.json else _print_scores(scores)
        return 0
    failed = None
    try:
        found = score_folders(args.pred, args.truth, args.discs)
    except SomeFailed as error:
        found, failed = error.done, error
    mean, failures = conventions(found) if found else {}, failed.failures if failed else {}
    if args.json:
        print(json_text({"cases": found, "mean": mean, "failures": failures}))
    else:
        for scores in found:
            print(f"case {scores['case']}")
            _print_scores(scores)
        of = f" of {len(found) + len(failures)}" if failures else ""
        if found:
            print(f"\nmean over {len(found)}{of} scans")
        for name, value in mean.items():
            print(f"  {CONVENTIONS[name]:<44} {value:.4f}")
    if failed:
        raise failed
    return 0


CONVENTIONS = {
    "dice_volumes": "Dice per scan (as Tables 1-3)",
    "dice_slices": "Dice per sagittal slice, then scan",
    "dice_pooled": "Dice of all voxels pooled",
    "dice_discs": "Dice per disc, then scan (challenge-style)",
    "asd_mm_discs": "average surface distance per disc, mm",
    "hd95_mm_discs": "95 % Hausdorff distance per disc, mm",
    "centre_distance_mm_discs": "distance of the centres per disc, mm",
}
"""What `scoring.conventions` calls its means, for people."""


def _print_scores(scores: dict) -> None:
    volume = scores["volume"]
    print(
        f"volume: Dice {volume['dice']:.4f} (slices {volume['dice_slices']:.4f}), "
        f"{volume['pred_ml']:.1f} ml predicted, {volume['truth_ml']:.1f} ml true"
    )
    print("disc  level    Dice    ASD mm  HD95 mm  centre mm")
    for row in scores["discs"]:
        edge = "  (touches the border)" if row["touches_border"] else ""
        edge = "  (missed)" + edge if row["missed"] else edge
        print(
            f"{row['disc']:>4}  {row['level'] or '–':<7}  {row['dice']:.4f}  {row['asd_mm']:6.2f}  "
            f"{row['hd95_mm']:7.2f}  {row['centre_distance_mm']:9.2f}{edge}"
        )
