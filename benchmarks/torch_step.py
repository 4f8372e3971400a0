"""The same step in PyTorch, where it is installed: for comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.weights import load


def torch_steps(
    content: np.ndarray, style: np.ndarray, content_layers: Sequence[str],
    style_layers: Sequence[str],
) -> dict[str, Callable[[], Any]]:
    """Steps by name: eager float32, eager bfloat16, and bfloat16 under `torch.compile`."""
    import torch
    from torch.nn import functional

    network = ARCHITECTURES["vgg16"]
    layers = network.up_to([*content_layers, *style_layers])
    kernels = {
        name: (torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias))
        for name, (kernel, bias) in load(network, layers, "random").kernels.items()
    }
    mean = torch.tensor([103.939, 116.779, 123.68])[None, :, None, None]

    def features(image: torch.Tensor) -> dict[str, torch.Tensor]:
        maps, found = image.flip(1) * 255 - mean, {}
        for layer in layers:
            if layer.pooling:
                maps = functional.max_pool2d(maps, 2)
            else:
                maps = functional.relu(functional.conv2d(maps, *kernels[layer.name], padding=1))
            found[layer.name] = maps
        return found

    def gram(maps: torch.Tensor) -> torch.Tensor:
        rows = maps.flatten(2)
        return rows @ rows.transpose(1, 2) / rows.shape[2]

    def tensor(picture: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()).to(
            memory_format=torch.channels_last
        )

    for name, (kernel, bias) in kernels.items():
        kernels[name] = kernel.to(memory_format=torch.channels_last), bias
    with torch.no_grad():
        of_content, of_style = features(tensor(content)), features(tensor(style))
        targets = {name: of_content[name] for name in content_layers}
        grams = {name: gram(of_style[name]) for name in style_layers}

    def step_of(compiled: bool, bfloat16: bool) -> Callable[[], float]:
        image = tensor(content).requires_grad_()
        optimizer = torch.optim.Adam([image], lr=0.02)

        def loss_of(image: torch.Tensor) -> torch.Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
                found = features(image)
            loss = sum(((found[name].float() - target) ** 2).mean() / (target**2).mean()
                       for name, target in targets.items())
            loss = loss + 20 * sum(
                ((gram(found[name].float()) - target) ** 2).mean() / (target**2).mean()
                for name, target in grams.items()
            )
            return loss + (image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean())

        function = torch.compile(loss_of) if compiled else loss_of

        def step() -> float:
            optimizer.zero_grad()
            loss = function(image)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                image.clamp_(0, 1)
            return float(loss)

        return step

    return {
        "torch_float32": step_of(False, False),
        "torch_bfloat16": step_of(False, True),
        "torch_bfloat16_compiled": step_of(True, True),
    }
