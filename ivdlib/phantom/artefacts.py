"""What goes wrong in a Dixon scan: functions on one sagittal slice, and what was drawn for a scan.

Axis 0 of a slice is the phase encoding, front to back; axis 1 the read direction, upwards. A slice
needs nothing from its neighbours. Sizes are in mm or in shares of the field of view, so a coarser
grid shows the same artefacts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KEPT_BAND = 0.84
"""Share of the phase-encoding lines that are measured, the rest zero-filled (general knowledge)."""
CHEMICAL_SHIFT_MM = 0.5
"""220 Hz between water and fat at 1.5 T (as in SeiberlichLab/Abdominal_MR_Phantom) over a read
bandwidth of about 500 Hz per pixel of 1.25 mm (general knowledge): 0.4 pixels."""
OWN_SPECKLE = 1 / 3
"""Speckle of one echo alone against what both share, so that they correlate by 0.8: within 2.4 ms
bowel hardly moves, but gas disturbs the later echo more (general knowledge)."""
SPECKLE_MM = 1.5
"""Standard deviation of the blur that makes white noise speckle; about a voxel, set by eye."""


@dataclass(frozen=True)
class Artefacts:
    """What was drawn for a scan; every strength is 0 where that artefact is absent.

    Attributes
    ----------
    chemical_shift_mm : float
        Displacement of fat along the read direction, upwards if positive.
    breath, pulse : float
        Strength of the first ghost of what breathes and of what pulsates.
    breath_spacing, pulse_spacing : float
        Displacement from ghost to ghost, as a share of the field of view.
    breath_replicas : int
        Number of ghosts of what breathes; what pulsates has one on either side.
    breath_drift : float
        Relative change of the breathing rate from the middle of k-space to its end; it blurs the
        ghosts' edges.
    breath_phase : float
        Phase of the breathing (radians) at the middle of k-space.
    wrap_mm : float
        Width of the strips at the upper and lower end onto which the other end folds over.
    wedge_low_mm, wedge_high_mm, wedge_middle : float
        Width of the black strips at the lower and upper end where they are widest; where, front to
        back, they come to nothing (share of the field of view).
    ringing : float
        Edge of the measured part of k-space: 0 soft, no ringing; 1 hard.
    speckle : float
        Standard deviation of the relative signal in bowel that moves during the scan.
    """

    chemical_shift_mm: float
    breath: float
    breath_spacing: float
    breath_replicas: int
    breath_drift: float
    breath_phase: float
    pulse: float
    pulse_spacing: float
    wrap_mm: float
    wedge_low_mm: float
    wedge_high_mm: float
    wedge_middle: float
    ringing: float
    speckle: float


def draw_artefacts(rng: np.random.Generator, amount: float = 1.0) -> Artefacts:
    """Draw the artefacts of a scan.

    Parameters
    ----------
    rng : numpy.random.Generator
        The same numbers are drawn whatever `amount` is.
    amount : float
        Multiplies all strengths but `ringing`: every scan has an edge of k-space, and a soft one
        would make images without artefacts blurred ones.
    """
    draw = rng.uniform
    return Artefacts(
        chemical_shift_mm=amount * CHEMICAL_SHIFT_MM * float(np.sign(draw(-1, 1))),
        # Strength and number of ghosts: an estimate; no source gives numbers.
        breath=amount * draw(0.02, 0.10),
        # A line takes 6.7 ms for each of about 40 partitions. A breath takes 2.5 to 5 s, and 4 s in
        # Abdominal_MR_Phantom; that makes 9 to 19 lines.
        breath_spacing=draw(0.05, 0.11),
        breath_replicas=int(rng.integers(2, 5)),
        breath_drift=draw(-0.3, 0.3),
        breath_phase=draw(-np.pi, np.pi),
        # General knowledge; a heart beat takes few lines, so its ghosts lie far away.
        pulse=amount * draw(0.01, 0.04),
        pulse_spacing=draw(0.15, 0.40),
        # General knowledge: up to 8 pixels of 1.25 mm.
        wrap_mm=amount * draw(0, 10),
        # Up to 6 such pixels in the figure of these scans in hunzo300/CoMed-SAM.
        wedge_low_mm=amount * draw(0, 7.5),
        wedge_high_mm=amount * draw(0, 7.5),
        wedge_middle=draw(0.25, 0.75),
        # A product filter leaves a good half of the ringing (general knowledge).
        ringing=draw(0.45, 0.85),
        # Very visible in the figure of such a scan in josedolz/IVD-Net; the numbers are set by eye.
        speckle=amount * draw(0.10, 0.25),
    )


def shift_fat(mix: np.ndarray, pixels: float) -> np.ndarray:
    """Displace fat along the read direction by a number of pixels, whole or not.

    Cubic convolution: unlike Fourier interpolation it does not ring along the whole line, unlike
    linear interpolation it hardly blurs. Beyond the ends the first and last pixel continue.

    Parameters
    ----------
    mix : numpy.ndarray
        float32, (4, n, m): water at echo 1 and 2, fat at echo 1 and 2 (`signal.dixon_echoes`).
    pixels : float
        Positive moves fat to higher indices.

    Returns
    -------
    numpy.ndarray
        float32, the same shape; `mix` itself where `pixels` is 0.
    """
    if pixels == 0:
        return mix
    whole = int(np.floor(pixels))
    f = np.float32(pixels - whole)
    taps = (f * (f * (1 - f / 2) - 0.5), 1 + f * f * (1.5 * f - 2.5))
    taps += (f * (0.5 + f * (2 - 1.5 * f)), f * f * (f - 1) / 2)
    at = np.arange(mix.shape[-1]) - whole
    parts = [
        tap * mix[2:].take(at + step, axis=-1, mode="clip")
        for tap, step in zip(taps, (1, 0, -1, -2), strict=True)
    ]
    return np.concatenate([mix[:2], sum(parts)])


def spoil(
    echoes: tuple[np.ndarray, np.ndarray],
    bowel: np.ndarray,
    wall: np.ndarray,
    vessels: np.ndarray,
    art: Artefacts,
    rng: np.random.Generator,
    pixel_mm: float,
) -> list[np.ndarray]:
    """Let a slice move while it is measured, and fold its ends over: all that precedes the noise.

    Parameters
    ----------
    echoes : tuple of numpy.ndarray
        complex64, (n, m): both echoes as the coil receives them.
    bowel, wall, vessels : numpy.ndarray
        float32, (n, m): share of a voxel that is bowel; that breathes otherwise (abdominal wall,
        liver); that pulsates.
    art : Artefacts
        What was drawn for the scan.
    rng : numpy.random.Generator
        Of this slice; the same numbers are drawn whatever the artefacts.
    pixel_mm : float
        Size of a pixel.

    Returns
    -------
    list of numpy.ndarray
        complex64; equal to `echoes`, bit for bit, where every strength is 0.
    """
    speckles = bowel_speckle(bowel.shape, rng, pixel_mm)
    breathing = np.maximum(bowel, wall)
    result = []
    for echo, speckle in zip(echoes, speckles, strict=True):
        if art.speckle:
            echo = echo * (1 + np.float32(art.speckle) * bowel * speckle)
        # Both echoes of a line are measured within one repetition: they share their ghosts.
        period = (art.breath_spacing, art.breath_replicas, art.breath_drift, art.breath_phase)
        echo = ghosts(echo, breathing, art.breath, *period)
        echo = ghosts(echo, vessels, art.pulse, art.pulse_spacing)
        result.append(wrap_ends(echo, art.wrap_mm / pixel_mm))
    return result


def ghosts(
    image: np.ndarray,
    moving: np.ndarray,
    strength: float,
    spacing: float,
    replicas: int = 2,
    drift: float = 0.0,
    phase: float = 0.0,
) -> np.ndarray:
    """Add ghosts of what moves periodically while k-space is measured line by line.

    A period of 1 / `spacing` lines gives replicas displaced by multiples of `spacing` of the field
    of view, to the back and to the front in turn; those further away are weaker.

    Parameters
    ----------
    image : numpy.ndarray
        complex64, (n, m).
    moving : numpy.ndarray
        float32, (n, m): share of a voxel's signal that moves.
    strength : float
        Of the first replica on either side; the second has half of it.
    spacing, drift, phase, replicas
        See `Artefacts`.

    Returns
    -------
    numpy.ndarray
        complex64, (n, m); `image` itself where nothing moves.
    """
    from scipy import fft

    if strength == 0 or not moving.any():
        return image
    count = len(image)
    line = np.fft.fftfreq(count, 1 / count)
    turn = 2 * np.pi * spacing * line * (1 + drift * line / count) + phase
    orders = np.array([1, -1, 2, -2])[:replicas]
    lines = (np.exp(-1j * orders[:, None] * turn) / abs(orders[:, None])).sum(axis=0) * strength
    spectrum = fft.fft(image * moving, axis=0)
    return image + fft.ifft(spectrum * np.complex64(lines)[:, None], axis=0)


def bowel_speckle(
    shape: tuple[int, int], rng: np.random.Generator, pixel_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Speckle of bowel that moves during the scan: smooth complex noise, one array an echo.

    Zero mean and, where the pixels are small against `SPECKLE_MM`, unit mean square; larger pixels
    average it away. complex64.
    """
    from scipy import fft

    # The spectrum of white noise is white noise, so only the way back is needed.
    spectrum = rng.standard_normal((2, *shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    sigma = SPECKLE_MM / pixel_mm
    falls = [np.exp(-2 * (np.pi * sigma * np.fft.fftfreq(n)) ** 2) for n in shape]
    unit = sigma * np.sqrt(2 * np.pi / (1 + OWN_SPECKLE**2))
    spectrum *= np.float32(unit * falls[0])[:, None] * np.float32(falls[1])
    common, own = fft.ifft2(spectrum, norm="ortho", overwrite_x=True)
    own *= np.float32(OWN_SPECKLE)
    return common + own, common - own


def wrap_ends(image: np.ndarray, pixels: float) -> np.ndarray:
    """Fold what lies beyond one end of the read direction onto the other end.

    The body beyond an end is taken for the mirror image of the body before it. The receiver's
    filter lets half of it pass at the edge and nothing from `pixels` on.
    """
    count = round(min(pixels, image.shape[1] / 2))
    if count == 0:
        return image
    fade = 0.5 * np.cos((np.arange(count, dtype=np.float32) + 0.5) / count * np.pi / 2) ** 2
    folded = image.copy()
    folded[:, :count] += fade * image[:, ::-1][:, :count]
    folded[:, ::-1][:, :count] += fade * image[:, :count]
    return folded


def wedge_mask(shape: tuple[int, int], art: Artefacts, pixel_mm: float) -> np.ndarray:
    """What the correction of gradient nonlinearity leaves: 0 in curved strips at the ends, else 1.

    Away from the magnet's axis the corrected image would need what was never measured. For the
    finished magnitudes; float32, (n, m), with an edge of one pixel.
    """
    across = (np.arange(shape[0], dtype=np.float32) + 0.5) / shape[0] - art.wedge_middle
    bow = (across / (0.5 + abs(art.wedge_middle - 0.5))) ** 2 / pixel_mm
    up = np.arange(shape[1], dtype=np.float32) + 1
    low = np.clip(up - (art.wedge_low_mm * bow)[:, None], 0, 1)
    high = np.clip(up[::-1] - (art.wedge_high_mm * bow)[:, None], 0, 1)
    return np.float32(low * high)


def point_spread(image: np.ndarray, ringing: float) -> np.ndarray:
    """Measure fewer phase-encoding lines than voxels; noise passes through it as the signal does.

    A soft (Hann) edge over the whole measured part blurs and does not ring; a hard edge is sharp
    and rings by 9 % of a step. `ringing` mixes the two. complex64.
    """
    from scipy import fft

    line = np.abs(np.fft.fftfreq(len(image))) * 2 / KEPT_BAND
    soft = np.cos(np.minimum(line, 1) * np.pi / 2) ** 2
    keep = np.where(line <= 1, ringing + (1 - ringing) * soft, 0)
    return fft.ifft(fft.fft(np.complex64(image), axis=0) * np.float32(keep)[:, None], axis=0)
