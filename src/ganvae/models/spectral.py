"""Spectral normalisation of a discriminator (D): Miyato et al., 1802.05957."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm

SETTLING = 15  # power iterations, as torch takes when it creates a layer


class SpectralNorm(_SpectralNorm):
    """torch's spectral norm, computed in full precision.

    Each forward pass in training mode takes one power iteration.
    """

    def forward(self, weight: Tensor) -> Tensor:
        # The singular vectors and values are statistics of weights, not activations. torch cannot
        # mix precisions here on a GPU.
        device = "cpu" if weight.is_meta else weight.device.type  # autocast knows no meta device
        with torch.autocast(device, enabled=False):
            normalised: Tensor = super().forward(weight)
        return normalised


def normalise_spectrally(network: nn.Module) -> nn.Module:
    """Divide the weight of each dense layer and convolution by its largest singular value.

    The weight is parametrised in place, by one output row per matrix row. Returns ``network``.
    """
    for layer in _layers(network):
        parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight))
    return network


def settle(network: nn.Module) -> None:
    """Take power iterations until the singular vectors belong to the current weights.

    Averages of weights need this, because averages of singular vectors are no singular vectors.
    Without spectral norms, this function does nothing.
    """
    for module in network.modules():
        if isinstance(module, parametrize.ParametrizationList):
            mode = module.training
            module.train()
            with torch.no_grad():
                for _ in range(SETTLING):
                    module()
            module.train(mode)


def _layers(network: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
