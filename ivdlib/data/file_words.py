"""What scanners, converters and people call the files that we call wat, fat, inn, opp and Labels.

Nothing is read under these names; they serve to say what a file that was left out may be.
"""

from __future__ import annotations

import re
from pathlib import Path

from ivdlib.files import readable

LIKE = {
    "wat": "w|water|wasser|wtr",
    "fat": "f|fett|lipid",
    "inn": r"in|ip|in[\W_]?ph(?:ase)?",
    "opp": r"op|oop|out|opposed|(?:out|out[\W_]?of|opp|opposed)[\W_]?ph(?:ase)?",
    "labels": r"label|d?seg|segm|segmentations?|segmented|mas[kq]u?e?|roi|manual|annot\w*|gt|truth|"
    r"ivds?|discs?",
}
_ENDS = {  # dcm2niix adds a letter, a number or the echo where two files would have one name
    word: re.compile(
        rf"(?:(?P<case>.+?)[\W_]+)?(?:(?:{like}|{word})(?:[\W_]*e?\d+[\W_]*)?|{word}[a-z])",
        re.I | re.S,
    )
    for word, like in LIKE.items()
}

FORMATS = {
    "DICOM": (".dcm", ".ima"), "MetaImage": (".mha", ".mhd"), "NRRD": (".nrrd", ".nhdr"),
    "Analyze": (".hdr",), "FreeSurfer's format": (".mgz", ".mgh"), "Philips' format": (".par",),
    "NIfTI that is packed otherwise": (".nii.zip", ".nii.bz2", ".nii.xz", ".nii.zst", ".nii.7z"),
}  # fmt: skip


def seems(path: Path) -> tuple[str, str] | None:
    """Case, and contrast or "labels", that a file's name suggests in words that are not ours."""
    name = readable(bare(path.name))
    for word, end in _ENDS.items():
        if match := end.fullmatch(name):
            return match["case"] or readable(path.absolute().parent.name), word
    return None


def bare(name: str) -> str:
    """File name without the ending of its format."""
    ends = (*(end for some in FORMATS.values() for end in some), ".nii.gz", ".nii")
    mine = (len(end) for end in ends if name.lower().endswith(end))
    return name[: len(name) - max(mine, default=0)]
