"""`predict`: a trained network on scans."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from ivdlib.cli.arguments import add_derive, add_machine, configure_machine, hand_down, positive
from ivdlib.errors import ConfigError, NothingFound, SomeFailed, behind
from ivdlib.progress import say
from ivdlib.training import shipped

FOUND_NOTHING = 3
"""Exit status where all masks are there, but in some scan a network found nothing."""


def add_predict(add) -> None:
    """Define `ivdlib predict`."""
    sub = add(
        "predict",
        "segment the discs of scans; the masks lie on the scans' own grid",
        "The probability is the mean over all images of the scan of a kind that the network was\n"
        "trained on; one image is enough. With --contrast it is that of one image. If the pixels\n"
        "have another size than in training, the slices are resampled, and the answer is brought\n"
        "back; the distance of the slices stays as it is.\n\n"
        "If it is interrupted, call it again: it goes on where it stopped, and leaves no half\n"
        "masks. CASE_Discs.json says what a mask was made from. A mask that was made in another\n"
        "way, or changed since, is moved into DIR/saved.\n\n"
        "Exit status 1: a scan cannot be used, or shows no spine or no disc; it is named, and the\n"
        f"others are done. {FOUND_NOTHING}: all masks are there, but one holds no disc, or a\n"
        "spine network of your own found nothing in a scan; the warnings say which.\n\n"
        "A scan that is mirrored (left and right) looks like a sound one; one that is upside down\n"
        "is recognised only if its discs are labelled. ivdlib check says what it compares.",
    )
    sub.add_argument("input", help="a folder of scans, the folder of one scan, or one NIfTI file")
    sub.add_argument(
        "--weights",
        action="append",
        metavar="NAME|FILE",
        help=f"a network that comes with ivdlib (default: {shipped.USUAL}), or the "
        "model.weights.h5 of a training; given several times, e.g. for all folds, their "
        "probabilities are averaged",
    )
    sub.add_argument(
        "--out",
        default="discs",
        metavar="DIR",
        help="gets, for each scan: CASE_Discs.nii.gz, CASE_DiscNumbers.nii.gz (1 is L5/S1; "
        "levels.ctbl and levels.label name the numbers in 3D Slicer and ITK-SNAP), CASE_Discs.csv "
        "(measurements), CASE.html, CASE_Discs.png, CASE_Discs.json (what it was made from); of "
        "several scans summary.csv and index.html (default: %(default)s)",
    )
    sub.add_argument(
        "--spine-weights",
        metavar="FILE",
        help="the spine network (default: that of the same experiment)",
    )
    sub.add_argument("--no-region", action="store_true", help="do not look for the spine first")
    sub.add_argument(
        "--contrast",
        help="one image, e.g. wat or wat+opp, even if the network was not trained on it; for a "
        "single file: what it is",
    )
    add_derive(sub)
    sub.add_argument(
        "--clip",
        type=float,
        metavar="PERCENTILE",
        help="cut off both ends of each contrast, e.g. 99.9, if ivdlib check names voxels that "
        "stretch its range (default: off, because the networks were trained on the whole range)",
    )
    sub.add_argument(
        "--mirror",
        action="store_true",
        help="segment each slice upside down, too, and average (default: off; twice the time, "
        "slightly better)",
    )
    sub.add_argument(
        "--specks",
        type=float,
        metavar="SHARE",
        help="leave out pieces of the mask that hold less than this share of the largest one "
        "(default: 0.15 for networks that come with ivdlib, chosen on scans that they were not "
        "trained on; 0, nothing, for others, as in the paper)",
    )
    sub.add_argument(
        "--lowest",
        metavar="LEVEL",
        help="name of the lowest disc, e.g. L5/S1, if you know it (default: told by its tilt, its "
        "size and the distances, for a spine with five lumbar vertebrae)",
    )
    sub.add_argument(
        "--save",
        action="append",
        default=[],
        choices=("probability", "spread", "spine"),
        help="write this volume, too; may be given several times. spread is the standard deviation "
        "between the images' own masks; it and the probability are in hundredths",
    )
    sub.add_argument(
        "--mask-only", action="store_true", help="write only the masks and their records"
    )
    sub.add_argument(
        "--engine",
        choices=("auto", "openvino", "keras"),
        default="auto",
        help="what runs the networks (default: auto, openvino, which is quick and starts no "
        "framework, or keras if there is a GPU); the numbers are the same",
    )
    sub.add_argument(
        "--precision",
        choices=("float32", "bfloat16", "auto"),
        default="float32",
        help="of openvino (default: float32; bfloat16 is faster on processors that have units for "
        "it; auto takes it there if the first tiles with disc come out alike)",
    )
    sub.add_argument(
        "--workers",
        type=positive,
        default=1,
        help="how many scans are segmented side by side; they share the cores (default: "
        "%(default)s; one for each core does most in an hour; each takes about half a gigabyte)",
    )
    sub.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="let the workers of this Dask scheduler segment (tcp://…); they must see scans, "
        "weights and DIR under the same paths",
    )
    add_machine(sub)
    sub.set_defaults(run=run_predict)


def run_predict(args: argparse.Namespace) -> int:
    """`ivdlib predict`."""
    if args.engine == "keras" and args.precision != "float32":
        raise ConfigError("--precision is for --engine openvino; leave it out, or change engine.")
    if args.engine == "openvino" and args.device == "gpu":
        raise ConfigError("--engine openvino runs on the CPU; leave --device gpu out.")
    if args.scheduler and args.workers > 1:
        raise ConfigError("--workers is for this machine; with --scheduler leave it out.")
    from ivdlib.training.engines import need_engine

    asked = (
        {"gpu": "keras", "cpu": "openvino"}.get(args.device or "") if args.engine == "auto" else ""
    )
    engine = need_engine(asked or args.engine, args.precision)
    # OpenVINO starts no framework, but for old weights; that takes what is handed down.
    (hand_down if engine == "openvino" else configure_machine)(args)
    with warnings.catch_warnings():
        nothing, done = _count(NothingFound), []
        try:
            for path in _masks(args, engine):
                done.append(path)
                # As it is for a pipe, which is to find the file.
                print(path, file=sys.stdout if sys.stdout.isatty() else behind(sys.stdout))
        except SomeFailed as error:
            _summarise(args, done, error.failures)
            raise
    if len(done) > 1:
        _summarise(args, done, {})
    elif done and not args.mask_only:
        from ivdlib.evaluation.scoring import SUFFIX
        from ivdlib.report.scan_page import PAGE

        say(f"page: {str(done[0]).removesuffix(SUFFIX)}{PAGE}")
    return FOUND_NOTHING if nothing else 0


def _masks(args: argparse.Namespace, engine: str) -> Iterator[Path]:
    """Masks, one after the other, with all that is written beside them."""
    from ivdlib.training.predict import predict_folder

    beside = None
    if args.mask_only:
        if args.save or args.lowest:
            raise ConfigError("--mask-only writes nothing beside; leave --save and --lowest out.")
    else:
        from ivdlib.report.scan_page import discs_beside

        beside = discs_beside(args.save, args.lowest)
    return predict_folder(
        args.input,
        args.weights or shipped.USUAL,
        args.out,
        spine_weights=args.spine_weights,
        use_region=not args.no_region,
        contrast=args.contrast,
        derive_missing=args.derive_missing,
        clip=args.clip,
        mirror=args.mirror,
        specks=args.specks,
        engine=engine,
        precision=args.precision,
        beside=beside,
        workers=args.workers,
        scheduler=args.scheduler,
    )


def _summarise(args: argparse.Namespace, done: list[Path], failed: Mapping[str, str]) -> None:
    """Write table and page of many scans."""
    if args.mask_only:
        return
    from ivdlib.evaluation.scoring import SUFFIX
    from ivdlib.report.scan_summary import write_summary

    names = [path.name.removesuffix(SUFFIX) for path in done]
    for path in write_summary(Path(args.out), names, failed, args.input):
        say(f"summary: {path}")


def _count(category: type[Warning]) -> list[str]:
    """Collect warnings of a category from here on; they are shown all the same."""
    show, found = warnings.showwarning, []

    def note(message, kind, *rest, **more) -> None:
        if issubclass(kind, category):
            found.append(str(message))
        show(message, kind, *rest, **more)

    warnings.simplefilter("always", category)
    warnings.showwarning = note
    return found
