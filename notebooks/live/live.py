"""Add the live page to a site: the shipped network, run in the reader's own browser.

`make book` calls it. Everything lies beside the page as plain scripts, for a page that was opened
from disk may not fetch files. The runtime, ONNX Runtime Web, comes from npm and is kept outside
the checkout; without it the page shows a still picture. Needs the extra `book`.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from ivdlib.data import cases, geometry
from ivdlib.data.case import Case
from ivdlib.files import write_text
from ivdlib.phantom import Conditions, make_phantom
from ivdlib.report import plotting
from ivdlib.training import engines, inference, one_scan, shipped, spine_of_scan, weights_file
from ivdlib.training.onnx_graph import onnx_file

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

ENGINE = "onnxruntime-web@1.30.0"
"""Package and version of npm."""

ENGINE_SHA512 = (
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
)
"""Of the package, as npm writes it."""

PARTS = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""What a page needs of it on a processor: the runtime, what starts its code, and the code."""

SCRIPTS = ("nifti.js", "prepare.js", "network.js", "draw.js", "page.js")
"""Of ours, in the order in which the page loads them."""

SLICES = 5
"""Of each scan, the central ones."""

PEOPLE = {
    "Healthy discs": (31, Conditions(rates={"degeneration": 0, "schmorl": 0}, swap=0)),
    "Worn discs": (32, Conditions(rates={"degeneration": 0.9}, swap=0)),
    "Much noise": (33, Conditions(noise=0.16, swap=0)),
}
"""Scans that lie beside the page: title → seed and conditions of the phantom."""

ALT = (
    "Two pictures of one sagittal slice through the lower back of the phantom, water image. "
    "On the left the slice alone, on the right with outlines of the discs: the truth orange and "
    "solid, what the network found blue and dashed. Dice {dice:.2f}."
)


def engine(cache: Path | None = None) -> dict[str, bytes]:
    """Files of the runtime by name, from npm, or from where an earlier call has put the package.

    Raises
    ------
    OSError
        If npm or onnx is not there, npm has no network or gives another package: one sentence.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = cache or home / "ivdlib"
    package = cache / f"{ENGINE.replace('@', '-')}.tgz"
    if importlib.util.find_spec("onnx") is None:
        raise OSError("onnx is not installed: pip install -e '.[book]'")
    if not package.is_file():
        if (npm := shutil.which("npm")) is None:
            raise OSError("npm is not installed (it comes with Node.js)")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as place:
            words = [npm, "pack", "--silent", "--pack-destination", place, ENGINE]
            done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
            if done.returncode:
                raise OSError(f"npm could not bring {ENGINE}; is there a network?")
            Path(place, package.name).replace(package)
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != ENGINE_SHA512:
        raise OSError(f"{package} is not the package that was pinned; delete it and try again")
    with tarfile.open(package) as archive:
        return {name: archive.extractfile(f"package/dist/{name}").read() for name in PARTS}


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")


def _network(name: str) -> dict[str, Any]:
    """A shipped network as an ONNX file, and what the page has to know of it."""
    path = shipped.FOLDER / name / shipped.WEIGHTS
    card, _ = weights_file.read_passport(path)
    kept = ("tile", "images", "spacing", "margin", "mask", "gap", "tolerance", "factor",
            "least_spine")  # fmt: skip
    onnx = _packed(onnx_file(*weights_file.read_numbers(path)))
    return {"onnx": onnx} | {key: card[key] for key in kept if key in card}


def _settings() -> dict[str, float]:
    """Rules of the library that the page follows, from where they stand."""
    return {
        "half": inference.THRESHOLD,
        "spine_overlap": inference.SPINE_OVERLAP,
        "stretch": geometry.LIMIT_STRETCH,
        "crop_mm": one_scan.CROP_MM,
        "most_pixels": one_scan.MOST_PIXELS,
        "least_width_mm": spine_of_scan.LEAST_WIDTH_MM,
    }


def _people(place: Path) -> Iterator[tuple[str, Case, dict[str, bytes]]]:
    """Make the scans: title, the case, and its files by name, truth as 0 and 1."""
    for number, (title, (seed, conditions)) in enumerate(PEOPLE.items(), start=1):
        made = make_phantom(place / str(number), 1, 1, seed, SLICES, conditions=conditions)
        case = cases.load_case(made / "01")
        truth = place / f"{number}_labels.nii.gz"
        cases.save_mask(case, case.discs, truth)
        files = {f"{number}_{name}.nii.gz": case.sources[name] for name in case.contrasts}
        yield (
            title,
            case,
            {name: p.read_bytes() for name, p in (files | {truth.name: truth}).items()},
        )


def _still(case: Case, out: Path) -> str:
    """Draw what the page would show of a case; gives the text for who cannot see it."""
    disc, spine = (engines.load_network(shipped.FOLDER / n / shipped.WEIGHTS)
                   for n in (shipped.USUAL, "spine"))  # fmt: skip
    found = one_scan.segment_case(disc, case, spine=spine, contrast="wat", specks=0).mask
    k = SLICES // 2
    truth, mask, plane = case.discs[k], found[k], case.contrasts["wat"][k]
    alt = ALT.format(dice=2 * (truth & mask).sum() / (truth.sum() + mask.sum()))
    titles = "the slice", "truth and what was found"
    outlines = {titles[1]: {"truth": truth, "found": mask}}
    figure = plotting.contrast_grid(dict.fromkeys(titles, plane), case.spacing, outlines, columns=2)
    figure.set_label(alt)
    plotting.save({out.stem: figure}, out.parent)
    return alt


def _page(alt: str, scripts: list[str], credit: str) -> str:
    """The page; its facts about the network come from the record of the weights."""
    folder = shipped.FOLDER / shipped.USUAL
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    _, shapes = weights_file.read_passport(folder / shipped.WEIGHTS)
    card = record["passport"]
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        alt=escape(alt),
        people=record["recipe"]["phantom"]["people"],
        parameters=f"{round(sum(int(np.prod(shape)) for shape in shapes), -4):,}",
        source=escape(card["source"]),
        pixel=f"{card['spacing'][1][0]:g}",
        margin=f"{card['margin']:g}",
        credit=credit,
        scripts="\n".join(f'<script src="{name}"></script>' for name in scripts),
    )


def write_live(site: Path, still: bool = False) -> str:
    """Write the folder `live` of a site.

    Parameters
    ----------
    site : Path
    still : bool, default False
        Write the page with its still picture alone.

    Returns
    -------
    str
        A sentence on what was written.
    """
    out = site / "live"
    out.mkdir(parents=True, exist_ok=True)
    why = "as was asked for"
    try:
        runtime = {} if still else engine()
    except OSError as error:
        runtime, why = {}, f"for {error}"
    with tempfile.TemporaryDirectory() as place:
        people = list(_people(Path(place)))
    alt = _still(people[0][1], out / "still.png")
    shutil.copy(HERE / "style.css", out)
    if not runtime:
        write_text(out / "index.html", _page(alt, [], ""))
        return f"The live page shows a still picture, {why}."
    _write_scripts(out, runtime, people)
    mine = (ROOT / "LICENSE").read_text(encoding="utf-8")
    owner = next(line for line in mine.splitlines() if line.startswith("Copyright"))
    theirs = mine.replace(owner, "Copyright (c) Microsoft Corporation")
    write_text(out / "LICENSE_onnxruntime.txt", f"{ENGINE}\n\n{theirs}")
    credit = (
        ' The network is run by ONNX Runtime Web (<a href="LICENSE_onnxruntime.txt">MIT licence,'
        " Microsoft</a>)."
    )
    write_text(out / "index.html", _page(alt, ["engine.js", "data.js", *SCRIPTS], credit))
    size = sum(path.stat().st_size for path in out.iterdir())
    return f"The live page is in {out / 'index.html'}, {size / 1e6:.1f} MB."


def _write_scripts(
    out: Path, runtime: dict[str, bytes], people: list[tuple[str, Case, dict[str, bytes]]]
) -> None:
    """Write the runtime, and networks and scans, as scripts; copy ours."""
    script, glue, code = (runtime[name] for name in PARTS)
    script = script.decode("utf-8").split("//# sourceMappingURL")[0]
    both = json.dumps({"wasm": _packed(code), "glue": _packed(glue)})
    write_text(out / "engine.js", f"{script}\nvar LIVE = {{}};\nLIVE.engine = {both};\n")
    scans = [
        {"title": title, "files": {n: base64.b64encode(b).decode() for n, b in files.items()}}
        for title, _, files in people
    ]
    data = {"settings": _settings(), "scans": scans,
            "networks": {name: _network(name) for name in (shipped.USUAL, "spine")}}  # fmt: skip
    write_text(out / "data.js", f"Object.assign(LIVE, {json.dumps(data)});\n")
    for name in SCRIPTS:
        shutil.copy(HERE / name, out)


def main(arguments: list[str] | None = None) -> int:
    """Write the live page into a site."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="folder of the site")
    parser.add_argument("--still", action="store_true", help="only the still picture")
    given = parser.parse_args(arguments)
    print(write_live(given.site, given.still))
    return 0


if __name__ == "__main__":
    sys.exit(main())
