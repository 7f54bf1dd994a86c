"""FDS-CNN written plainly in PyTorch, as a reader of the paper would, and one training step of it.

Nothing of `ivdlib.networks` is used, only the lists of the configuration. Maps are (batch,
channels, height, width) in the channels-last memory format, which is the faster one on processors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ivdlib.networks import FDSCNNConfig, xception


def _norm(channels: int, config: FDSCNNConfig) -> nn.BatchNorm2d:
    # PyTorch's momentum is the share of the new value.
    return nn.BatchNorm2d(channels, eps=config.bn_epsilon, momentum=1 - config.bn_momentum)


class Conv(nn.Module):
    """1x1 convolution, batch normalisation, ReLU where `relu`."""

    def __init__(self, inputs: int, filters: int, config: Any, stride: int = 1, relu: bool = True):
        super().__init__()
        self.kernel = nn.Conv2d(inputs, filters, 1, stride, bias=False)
        self.norm = _norm(filters, config)
        self.relu = relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve, normalise, rectify."""
        x = self.norm(self.kernel(x))
        return functional.relu(x) if self.relu else x


class Separable(nn.Module):
    """Depthwise 3x3 and 1x1 convolution, each with batch normalisation.

    `relu` stands "before" both, "inside" (behind each of the two) or "after" them.
    """

    def __init__(
        self,
        inputs: int,
        filters: int,
        config: Any,
        relu: str,
        rate: int = 1,
        stride: int = 1,
        multiplier: int = 1,
    ):
        super().__init__()
        inner = inputs * multiplier
        self.depthwise = nn.Conv2d(
            inputs, inner, 3, stride, padding=rate, dilation=rate, groups=inputs, bias=False
        )
        self.depthwise_norm = _norm(inner, config)
        self.pointwise = nn.Conv2d(inner, filters, 1, bias=False)
        self.pointwise_norm = _norm(filters, config)
        self.relu = relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Filter each channel, then mix the channels."""
        if self.relu == "before":
            x = functional.relu(x)
        x = self.depthwise_norm(self.depthwise(x))
        if self.relu == "inside":
            x = functional.relu(x)
        x = self.pointwise_norm(self.pointwise(x))
        return x if self.relu == "before" else functional.relu(x)


class FDSCNN(nn.Module):
    """FDS-CNN in its default form (separable, three skips, one stride); even sizes only."""

    def __init__(self, config: FDSCNNConfig):
        super().__init__()
        self.config = config
        self.units = nn.ModuleDict()
        channels, ends = 1, {}
        lists = (xception.BLOCKS, xception.WIDTHS, config.strides, xception.SHORTCUTS)
        for block, widths, strides, shortcut in zip(*lists, strict=True):
            relu = xception.RELUS[xception.BLOCKS.index(block)]
            for name, labels, rates in self._units_of(block):
                start, ends[block] = channels, []
                for label, width, rate, stride in zip(labels, widths, rates, strides, strict=True):
                    how = (config.channels(width), config, relu, rate, stride)
                    m = config.stem_depth_multiplier if block == "conv1" else 1
                    self.units[label] = Separable(channels, *how, m)
                    channels = how[0]
                    ends[block].append(channels)
                if shortcut == "conv":
                    way = Conv(start, channels, config, math.prod(strides), relu=False)
                    self.units[f"{name}_shortcut"] = way
        width, narrow = config.channels(config.aspp_width), config.channels(config.skip_width)
        for name in ("aspp_1x1", "aspp_pool"):
            self.units[name] = Conv(channels, width, config)
        for i, rate in enumerate(config.aspp_rates, 1):
            self.units[f"aspp_sep{i}"] = Separable(channels, width, config, "inside", rate)
        self.units["aspp_project"] = Conv(width * (2 + len(config.aspp_rates)), width, config)
        low = (ends["entry1"][config.first_skip - 1], ends["entry3"][-1], ends["middle"][-1])
        for name, inputs in zip(("third_layer", "entry", "middle"), low, strict=True):
            self.units[f"skip_{name}"] = Conv(inputs, narrow, config)
        wide = config.channels(config.decoder_width)
        self.units["decoder1"] = Separable(width + 3 * narrow, wide, config, "inside")
        self.units["decoder2"] = Separable(wide, wide, config, "inside")
        self.units["logits"] = nn.Conv2d(wide, 1, 1)

    def _units_of(self, block: str):
        """Name, names of the convolutions and rates of each repetition of a module."""
        for unit, rates in enumerate(self.config.rates_of(block), 1):
            name = f"middle{unit}" if block == "middle" else block
            sole = block in ("conv1", "conv2")
            labels = [name] if sole else [f"{name}_sep{i + 1}" for i in range(len(rates))]
            yield name, labels, rates

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (batch, 1, height, width) to probabilities of the same shape, float32."""
        ends: dict[str, list[torch.Tensor]] = {}
        for block, shortcut in zip(xception.BLOCKS, xception.SHORTCUTS, strict=True):
            for name, labels, _ in self._units_of(block):
                start, ends[block] = x, []
                for label in labels:
                    x = self.units[label](x)
                    ends[block].append(x)
                if shortcut != "none":
                    way = self.units[f"{name}_shortcut"](start) if shortcut == "conv" else start
                    x = ends[block][-1] = x + way
        pooled = self.units["aspp_pool"](x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        parts = [self.units["aspp_1x1"](x), pooled]
        branches = range(1, len(self.config.aspp_rates) + 1)
        parts[1:1] = [self.units[f"aspp_sep{i}"](x) for i in branches]
        x = self.units["aspp_project"](torch.cat(parts, 1))
        x = functional.dropout(x, self.config.dropout, self.training)
        low = (ends["entry1"][self.config.first_skip - 1], ends["entry3"][-1], ends["middle"][-1])
        names = ("skip_third_layer", "skip_entry", "skip_middle")
        x = torch.cat([x, *(self.units[n](y) for n, y in zip(names, low, strict=True))], 1)
        x = self.units["logits"](self.units["decoder2"](self.units["decoder1"](x)))
        factor = self.config.stride
        x = functional.interpolate(x.float(), scale_factor=factor, mode="bilinear")
        return torch.sigmoid(x)


_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def copy_weights(source: Mapping[str, Any], network: FDSCNN) -> None:
    """Give `network` the weights that `peers.stock.weights` found in the same Keras network."""
    state = {}
    for key, value in network.state_dict().items():
        _, *words, kind = key.split(".")  # "units.entry1_sep1.depthwise_norm.weight"
        if kind == "num_batches_tracked":
            continue
        name = "_".join(words)
        if name.endswith("norm"):
            name = f"{name}_{_NORM[kind]}"
        elif name == "logits":
            name = {"weight": "logits_kernel", "bias": "logits_bias"}[kind]
        array = np.asarray(source[name], np.float32)
        if array.ndim == 4:
            # Depthwise (3, 3, channels, m) to (channels * m, 1, 3, 3); others to (out, in, 1, 1).
            axes = (2, 3, 0, 1) if name.endswith("depthwise") else (3, 2, 0, 1)
            array = array.transpose(axes)
        state[key] = torch.tensor(array.reshape(value.shape))
    missing, unexpected = network.load_state_dict(state, strict=False)
    wrong = [k for k in [*missing, *unexpected] if not k.endswith("num_batches_tracked")]
    if wrong:
        raise ValueError(f"weights do not fit: {', '.join(wrong)}")


def to_torch(images: np.ndarray) -> torch.Tensor:
    """Images (batch, height, width, 1) as (batch, 1, height, width), channels last in memory."""
    tensor = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return tensor.contiguous(memory_format=torch.channels_last)


def loss(truth: torch.Tensor, probability: torch.Tensor) -> torch.Tensor:
    """As `ivdlib.networks.losses.cross_entropy_and_dice`."""
    clipped = probability.clip(1e-7, 1 - 1e-7)
    entropy = -(truth * clipped.log() + (1 - truth) * (1 - clipped).log()).mean()
    overlap, total = (truth * probability).sum(), truth.sum() + probability.sum()
    return entropy + 1 - (2 * overlap + 1) / (total + 1)


def adam(network: nn.Module, rate: float = 1e-4) -> torch.optim.Adam:
    """Adam with Keras' epsilon."""
    return torch.optim.Adam(network.parameters(), rate, eps=1e-7)


def train_step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: torch.Tensor,
    truth: torch.Tensor,
    bfloat16: bool = False,
) -> float:
    """Make one step of the optimiser; gives the loss before it. `bfloat16`: with autocast."""
    network.train()
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        probability = network(images)
    value = loss(truth, probability.float())
    value.backward()
    optimiser.step()
    return float(value.detach())


def multiply_adds(network: nn.Module, images: torch.Tensor) -> int:
    """Multiply-adds of all convolutions of a network for one image of the batch `images`."""
    counts = []

    def count(layer: Any, inputs: Any, output: torch.Tensor) -> None:
        up = isinstance(layer, nn.ConvTranspose2d)  # each input pixel meets the kernel once
        pixels = inputs[0] if up else output
        counts.append(layer.weight.numel() * pixels.shape[2] * pixels.shape[3])

    kinds = nn.Conv2d | nn.ConvTranspose2d
    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, kinds)]
    with torch.no_grad():
        network.eval()(images[:1])
    for hook in hooks:
        hook.remove()
    return sum(counts)


def parameters(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(p.numel() for p in network.parameters())


def basic_unet(count: int) -> nn.Module:
    """MONAI's BasicUNet with about `count` parameters: its features are scaled until it has."""
    from monai.networks.nets import BasicUNet

    def make(base: int) -> nn.Module:
        features = (base, base, 2 * base, 4 * base, 8 * base, base)  # as its default has them
        return BasicUNet(spatial_dims=2, out_channels=1, features=features)

    with torch.device("meta"):
        base = min(range(2, 129), key=lambda b: abs(parameters(make(b)) - count))
    return nn.Sequential(make(base), nn.Sigmoid())
