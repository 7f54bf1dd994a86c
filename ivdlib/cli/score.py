"""`score`: masks against the truth."""

from __future__ import annotations

import argparse
import os

from ivdlib.cli.arguments import add_discs
from ivdlib.errors import SomeFailed
from ivdlib.files import json_text


def add_score(add) -> None:
    """Define `ivdlib score`."""
    sub = add(
        "score",
        "score predicted masks against the truth",
        "Takes two NIfTI files, or a folder of CASE_Discs.nii.gz and one of labelled cases.\n\n"
        "Prints the Dice of the whole volume and of its slices. For each disc it prints the\n"
        "Dice, the average surface distance, the 95 % Hausdorff distance and the distance of the\n"
        "centres, as the challenge does: a disc is a connected piece of one label of the truth,\n"
        "and each predicted voxel belongs to the nearest disc. For a folder it adds the means\n"
        "over all scans.\n\n"
        "Exit status 1: a scan could not be scored; it is named, and the others are scored.",
    )
    sub.add_argument("pred", help="a mask, or a folder of masks")
    sub.add_argument("truth", help="the labels, or a folder of cases")
    add_discs(sub, " of the truth")
    sub.add_argument("--json", action="store_true", help="print one JSON document, for programs")
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
    if pieces := scores["astray"]["pieces"]:
        said = "piece touches" if pieces == 1 else "pieces touch"
        print(
            f"{pieces} predicted {said} no true disc ({scores['astray']['ml']:.1f} ml), and counts "
            "for the nearest disc: its numbers are worse by that"
        )
    print("disc  level    Dice    ASD mm  HD95 mm  centre mm")
    for row in scores["discs"]:
        edge = "  (touches the border)" if row["touches_border"] else ""
        edge = "  (missed)" + edge if row["missed"] else edge
        print(
            f"{row['disc']:>4}  {row['level'] or '–':<7}  {row['dice']:.4f}  {row['asd_mm']:6.2f}  "
            f"{row['hd95_mm']:7.2f}  {row['centre_distance_mm']:9.2f}{edge}"
        )
    if any(row["missed"] for row in scores["discs"]):
        print("missed: nothing was predicted there; the distances are the diagonal of the volume")
