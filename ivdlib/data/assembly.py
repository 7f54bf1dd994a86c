"""Put a case together from its images, and check them against each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ivdlib.data.alignment import check_same_grid
from ivdlib.data.case import Case, Options, labels_of
from ivdlib.data.case_files import MASKS, CaseFiles
from ivdlib.data.contrasts import CONTRASTS, contrast_order
from ivdlib.data.dixon import FORMULAS, derivable, derive, find_copies, which_is_the_copy
from ivdlib.data.file_words import seems
from ivdlib.data.geometry import spacing_mm
from ivdlib.data.header import NO_FORM
from ivdlib.data.labels import disc_and_spine_values, labels_on_grid
from ivdlib.data.leftovers import instead
from ivdlib.data.nifti import Image, read_image, read_labels
from ivdlib.data.orientation import axcodes_of, canonical_affine, to_canonical
from ivdlib.data.quality.flaws import find_flaws
from ivdlib.data.quality.spine_axes import check_axes
from ivdlib.data.remarks import Remark, Remarks, listed
from ivdlib.data.subjects import Subject
from ivdlib.errors import DataError


def read_case(word: str, path: Path) -> Image:
    """Read one file of a case: "labels", "spine" and "exact" as uint8, a contrast as float32."""
    return read_labels(path) if word in MASKS else read_image(path)


def assemble(
    files: CaseFiles, images: dict[str, Image], subject: Subject, options: Options
) -> Case:
    """Check the images of a case against each other and make it a `Case`.

    Parameters
    ----------
    files : CaseFiles
    images : dict of str to Image
        By contrast, and under "labels", "spine" and "exact" where these are there.
    subject : Subject
    options : Options

    Returns
    -------
    Case

    Raises
    ------
    DataError
        If a contrast is missing or a copy that cannot be resolved, where grids differ, where the
        labels hold no disc, or where the axes can be those of no spine.
    """
    axcodes = options.declared.axcodes
    scans = {name: images[name] for name in files.contrasts}
    reference = next(iter(scans.values()))
    for name, scan in scans.items():
        check_same_grid(
            f"case {files.name}: contrast {name}",
            scan,
            reference,
            axcodes,
            "mend the header, resample or export them again (all contrasts of a case must lie on "
            "one grid)",
        )
    remarks = Remarks([subject.note] if subject.note else [])
    remarks.notes.extend(about_headers(images, axcodes))
    remarks.notes.extend(_about_names(files))
    arrays, derived = _complete(files, scans, options, remarks)
    grid, codes = reference.grid(axcodes), axcodes_of(reference.affine)
    if axcodes and axcodes != codes:
        remarks.corrections.append(
            f"the axes run to {', '.join(axcodes)} as dataset.json declares, not to "
            f"{', '.join(codes)} as the header says"
        )
    masks = {
        word: to_canonical(
            labels_on_grid(files.name, word, images[word], reference, options, remarks), grid
        )
        for word in MASKS
        if word in images
    }
    labels, spine_mask, exact = map(masks.get, MASKS)
    discs, spine = disc_and_spine_values(files, labels, spine_mask, options, remarks)
    numbers = None if labels is None else labels_of(labels, discs)
    contrasts = {name: to_canonical(array, grid) for name, array in arrays.items()}
    measured = {name: array for name, array in contrasts.items() if name not in derived}
    flaws = find_flaws(measured, spacing_mm(canonical_affine(grid)), grid)
    sound = [np.abs(image) for name, image in measured.items() if name not in flaws.stretched]
    together = np.sum(sound, axis=0, dtype=np.float64) if sound else None
    remarks.notes.extend(check_axes(files.name, grid, together, numbers, bool(axcodes)))
    remarks.notes.extend(flaws.remarks)
    used = {name: path for name, path in files.contrasts.items() if name not in derived}
    return Case(
        name=files.name,
        subject=subject.subject,
        stage=subject.stage,
        contrasts=contrasts,
        affine=canonical_affine(grid),
        labels=labels,
        disc_values=discs,
        spine_values=spine,
        spine_mask=None if spine_mask is None else spine_mask > 0,
        exact_mask=None if exact is None else exact > 0,
        derived=frozenset(derived),
        columns=dict(subject.columns),
        sources={**used, **{word: images[word].path for word in images if word not in scans}},
        subject_source=subject.source,
        subject_question=subject.question,
        dataset=dict(options.declared.everything),
        notes=tuple(remarks.notes),
        corrections=tuple(remarks.corrections),
        grid=grid,
    )


def _about_names(files: CaseFiles) -> Iterator[Remark]:
    """Images that are read under names of their own, which are like those of others."""
    like = {
        word: seeming[1]
        for word, path in files.contrasts.items()
        if word not in CONTRASTS and (seeming := seems(path))
    }
    if like:
        names = ", ".join(f"…_{'Labels' if word == 'labels' else word}" for word in like.values())
        yield Remark(
            f"not known, so read as images of their own: {', '.join(like)}, whose names are like "
            f"{', '.join(like.values())}",
            f"rename to {names}, or keep elsewhere what is no image",
        )


def about_headers(images: dict[str, Image], declared: tuple[str, str, str] | None) -> list[Remark]:
    """Say what is odd about the headers of a case.

    Parameters
    ----------
    images : dict of str to Image
    declared : tuple of 3 str or None
        The axes that `dataset.json` declares, see `DatasetNotes`.

    Returns
    -------
    list of Remark
        Each thing once, with the files that it concerns.
    """
    by_note: dict[Remark, list[str]] = {}
    for word, image in images.items():
        for note in image.geometry.notes:
            if note != NO_FORM or declared is None:
                by_note.setdefault(note, []).append(word)
    return [
        note.about(f"header of {'all files' if len(words) == len(images) else ', '.join(words)}")
        for note, words in by_note.items()
    ]


def _complete(
    files: CaseFiles, scans: dict[str, Image], options: Options, remarks: Remarks
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Set copies aside and derive what lacks; the arrays in order, and the names derived."""
    arrays = {name: scan.array for name, scan in scans.items()}
    derived = []
    try:
        if aside := _set_aside(arrays):
            name, twin = aside
            arrays[name] = derive(name, arrays)
            derived.append(name)
            remarks.note(
                f"{name} is voxel for voxel a copy of {twin}, so it was set aside, derived as "
                f"{FORMULAS[name]} and marked as derived",
                f"put the true {name} image in its place",
            )
        if files.missing and not options.derive_missing:
            lost = files.missing[0]
            raise DataError(
                f"contrast {lost!r} is missing{instead(files, lost)}; add {files.name}_{lost}"
                ".nii[.gz], or let it be derived (derive_missing=True)."
            )
        order = derivable(arrays, files.missing)
        for name in [*order, *(name for name in files.missing if name not in order)]:
            arrays[name] = derive(name, arrays)
            derived.append(name)
            remarks.note(
                f"{name} has no file{instead(files, name)}, so it was derived as {FORMULAS[name]} "
                "and marked as derived",
                "add its file where it was measured",
            )
        for name in derived:
            if np.ptp(arrays[name]) == 0:
                raise DataError(
                    f"{name}, derived as {FORMULAS[name]}, is constant; look at the images that it "
                    "was derived from."
                )
    except DataError as error:
        like = [path.name for path in files.left_out if (seems(path) or "  ")[1] in files.missing]
        hint = f"; rename {listed(like)}, which the names say may be it" if like else ""
        raise DataError(f"case {files.name}: {str(error).rstrip('.')}{hint}.") from error
    return {name: arrays[name] for name in sorted(arrays, key=contrast_order)}, derived


def _set_aside(arrays: dict[str, np.ndarray]) -> tuple[str, str] | None:
    """Find a copy among the contrasts: (name to set aside, name to keep), None without copies."""
    pairs = find_copies(arrays)
    if not pairs:
        return None
    if len(pairs) > 1:
        names = sorted({name for pair in pairs for name in pair}, key=contrast_order)
        raise DataError(
            f"contrasts {', '.join(names)} hold copies of each other; provide the true images."
        )
    a, b = pairs[0]
    aside = which_is_the_copy(a, b, arrays)
    return (aside, b if aside == a else a)
