"""Options of a training, of the spine stage and of the phantom: every choice is a field.

The numbers of the paper are the defaults.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field, fields
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, Strict

from ivdlib.errors import checked

TILE = (112, 128)
"""Tile of the paper in pixels (AP, SI)."""

TOLERANCE_MM = 1e-4
"""Distances this little above a limit count as within. 15 mm are 12 pixels of 1.25 mm, and files
round their affines by some 1e-7: without a tolerance that moved 1 % of the region of a phantom scan
one way or the other. The next distance above 15 mm is farther away on usual grids."""

LONGEST_MM = 1000.0
"""No margin and no gap is wider: nobody's spine is longer."""

LARGEST = 1e9
"""No number is beyond it: no record could hold it, no computer wait for it."""

SMALLEST_TILE = 16
"""Pixels: what four halvings in U-Net and DeepLabv3+ leave one of."""

COARSEST = 8
"""Most pixels a side that the spine stage may average: beyond, a vertebra is a few pixels."""

LOSSES = ("bce_dice", "bce", "dice")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
SIZE_NAMES = ("tiny", "laptop", "paper")

# What fields may be. `4` is a fine number; "4" is none, and neither is true.
T = TypeVar("T")
Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict(), Field(le=LARGEST)]
Count = Annotated[Whole, Field(ge=1)]
Number = Annotated[float, Strict(), Field(le=LARGEST)]
Positive = Annotated[Number, Field(gt=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
TileSide = Annotated[Whole, Field(ge=SMALLEST_TILE)]
Momentum = Annotated[float, Strict(), Field(ge=0, lt=1)]
Millimetres = Annotated[Number, Field(ge=0, le=LONGEST_MM, description="mm")]
FROM_LIST = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Many = Annotated[tuple[T, ...], Strict(), FROM_LIST]


def once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a name that stands twice (ValueError, for pydantic)."""
    if len(set(names)) < len(names):
        raise ValueError(f"takes each once, not {', '.join(names)}")
    return names


BEFORE = "before"
"""Key of a field's metadata: what was done before the field was there, and what a hash or a record
that does not name it means. Without it that is the field's default."""


@checked
class TrainingOptions:
    """How a network is trained; every choice that the paper leaves open is a field."""

    steps: Count = 20_000
    """Optimiser steps. The paper gives no length; equal steps make arms comparable."""
    batch: Count = 16
    """Tiles a step (Sect. 3.1)."""
    learning_rate: Positive = 1e-4
    """Of Adam (Sect. 3.1)."""
    unet_rate: Positive | None = None
    """In place of `learning_rate` for U-Net; None: the same. The paper names one rate for all."""
    deeplabv3plus_rate: Positive | None = None
    """Likewise for DeepLabv3+."""
    unet_equal_weights_rate: Positive | None = None
    """Likewise for the U-Net with as many weights as FDS-CNN; None: that of U-Net."""
    unet_equal_cost_rate: Positive | None = None
    """Likewise for the U-Net with as many multiply–adds."""
    schedule: Literal["constant", "cosine"] = "constant"
    """`constant`, or `cosine` to zero over `steps`. The paper names no schedule."""
    loss: Literal[*LOSSES] = "bce_dice"
    """`bce_dice`, `bce` or `dice`. The paper names none; Dice balances discs (1 % of a scan)."""
    tile: Annotated[
        tuple[TileSide, TileSide], Strict(), FROM_LIST, Field(description="pixels, AP and SI")
    ] = TILE
    """Pixels (AP, SI) (Sect. 3.1); smaller images get a tile of their own size."""
    rotation: Annotated[Number, Field(ge=0, le=180, description="degrees")] = 15.0
    """Largest angle in degrees, uniform to both sides. The paper gives no range."""
    noise_probability: Share = 0.5
    """Share of the tiles that get random pixels. The paper: "randomly select images"."""
    noise_max_share: Share = 0.15
    """Largest share of pixels with random values (Sect. 3.1)."""
    tiles: Literal["thinned", "all"] = "thinned"
    """`thinned`: as many tiles without disc as with; `all`: as they come. Not in the paper."""
    placement: Literal["even", "clipped"] = field(default="even", metadata={BEFORE: "clipped"})
    """`even`: every pixel is drawn equally often, before thinning; `clipped`: as in records that do
    not name it, one tile too many and pushed back into the window. Not in the paper."""
    neighbours: Annotated[Whole, Field(ge=0)] = 0
    """Slices on each side that the network sees as further channels. The paper's sees one slice."""
    intensity: Annotated[Number, Field(ge=0)] = 0.0
    """Grey values to a random power, up to 1 + this or its inverse. Not in the paper."""
    scale: Annotated[Number, Field(ge=0, le=1)] = 0.0
    """Tiles are shown larger or smaller by a random factor up to 1 + this. Not in the paper."""
    average: Momentum = 0.0
    """Momentum of a moving average of the weights, which are used in the end; 0: the last weights.
    Not in the paper."""
    precision: Literal[*PRECISIONS] = "auto"
    """Of the maps in a step: `float32`, `bfloat16`, `float16`; `auto`: bfloat16 on GPUs that have
    units for it, else float32. The paper's GPUs had none, and it says nothing."""


@checked
class SpineOptions:
    """The pre-segmentation of the spine (Sect. 2.1)."""

    region: Literal["predicted", "true", "none"] = "predicted"
    """`predicted` by the spine U-Net of the same fold; `true` mask; `none` skips the stage."""
    margin: Millimetres = 15.0
    """Widening of the mask in mm before the image outside is set to zero. The paper gives none."""
    mask: Flag = True
    """Set the image outside the region to zero; False: the region only places the tiles."""
    gap: Millimetres = 0.0
    """Parts of the mask that lie at most so far apart, in mm, are one spine: its bones and discs
    touch in some scans only. 0: one connected part. Not in the paper."""
    tolerance: Annotated[Millimetres, Field(le=0.1)] = field(
        default=TOLERANCE_MM, metadata={BEFORE: 0.0}
    )
    """In mm: distances so little above `margin` or `gap` count as within. Not in the paper. Without
    it, as in records that do not name it, the rounding of an affine decides (see `tiles`)."""
    factor: Annotated[Whole, Field(ge=1, le=COARSEST)] = 2
    """The network sees slices averaged over this many pixels: a spine is coarse; faster."""
    size: Literal[*SIZE_NAMES] = "tiny"
    """Size of the U-Net."""
    steps: Count = 1500
    batch: Count = 8
    learning_rate: Positive = 1e-3
    """Ten times the paper's rate for its second network: the paper gives none for this one."""


OWN_RATES = {
    "unet": "unet_rate",
    "deeplabv3plus": "deeplabv3plus_rate",
    "unet:equal_weights": "unet_equal_weights_rate",
    "unet:equal_cost": "unet_equal_cost_rate",
}
"""Networks that may have a learning rate of their own: name → field of `TrainingOptions`; a variant
without one has that of its network."""


def rate_fields(network: str) -> list[str]:
    """Fields that may hold a network's own rate, the one that goes first first."""
    return [OWN_RATES[name] for name in (network, network.partition(":")[0]) if name in OWN_RATES]


def spine_training(spine: SpineOptions, precision: str = "auto") -> TrainingOptions:
    """How the spine network is trained, apart from its tile: a whole slice.

    What `SpineOptions` has no field for is the default of `TrainingOptions`, whatever the disc
    networks of the same profile are trained with.
    """
    return TrainingOptions(
        steps=spine.steps, batch=spine.batch, learning_rate=spine.learning_rate,
        schedule="cosine", tiles="all", precision=precision,
    )  # fmt: skip


@checked
class PhantomOptions:
    """The built-in phantom, used where no data are given."""

    subjects: Count = 8
    stages: Count = 2
    slices: Count = 36
    in_plane: Annotated[Whole, Field(ge=32, le=256, multiple_of=2, description="voxels")] = 256
    """Voxels along each side of a slice of 320 mm: 256 are 1.25 mm, as in the challenge."""
    seed: Annotated[Whole, Field(ge=0)] = 0
    swap: Share = 0.0
    """Probability of exchanged water and fat in a scan. `ivdlib phantom` has 0.05; experiments
    train on scans that have passed `ivdlib check`, as one would with real ones."""


def essence(options: Any) -> dict[str, Any]:
    """Fields of a profile, or of a part of it, that differ from the defaults of its class.

    What hashes are made of: a field that is added later, with a default that does as before, leaves
    finished trainings valid. One whose default does something new names what was done `BEFORE`:
    that is left out, and the default always written. Whoever changes a default must give the field
    another name.
    """
    found = {}
    for f in fields(options):
        value = getattr(options, f.name)
        if hasattr(value, "__dataclass_fields__"):
            value = essence(value)
            unwritten = {}
        else:
            unwritten = meant_by_silence(f)
        if value != unwritten:
            found[f.name] = value
    return found


def meant_by_silence(f: dataclasses.Field) -> Any:
    """Value of a field in a hash or a record that does not name it."""
    return f.metadata.get(BEFORE, f.default)
