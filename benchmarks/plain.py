"""A model's networks as users first write them: torch's own layers in contiguous memory."""

import copy

import torch
from torch import Tensor, nn

from ganvae.models.convolution import UpsampledConvTranspose2d
from ganvae.models.layers import Flatten, Unflatten


def plain(network: nn.Module, example: Tensor) -> nn.Sequential:
    """The same network with the same weights, but without this package's faster layers.

    ``example`` is an input of shape N x ..., on which the outputs of both networks are compared.
    """
    theirs: list[nn.Module] = []
    x, order = example, None  # order: our order of the features that come next
    with torch.no_grad():
        for layer in _leaves(network.eval()):
            if isinstance(layer, Flatten):
                order = _order(*x.shape[1:])
                theirs.append(nn.Flatten())
            elif isinstance(layer, Unflatten):
                height, width, channels = layer.sizes
                _reorder(theirs, _order(channels, height, width))
                theirs.append(nn.Unflatten(1, (channels, height, width)))
            elif isinstance(layer, UpsampledConvTranspose2d):
                theirs += [nn.Upsample(scale_factor=2, mode="nearest"), _as_torchs(layer)]
            else:
                theirs.append(_as_torchs(layer))
                if isinstance(layer, nn.Linear) and order is not None:
                    weight = theirs[-1].weight
                    weight.copy_(torch.empty_like(weight).index_copy_(1, order, weight))
                    order = None
            x = layer(x)
        result = nn.Sequential(*theirs)
        torch.testing.assert_close(result.eval()(example), network(example), rtol=1e-3, atol=1e-4)
    network.train()
    return result.train()


def _leaves(network: nn.Module) -> list[nn.Module]:
    if isinstance(network, nn.Sequential):
        return [leaf for layer in network for leaf in _leaves(layer)]
    return [network]


def _order(channels: int, height: int, width: int) -> Tensor:
    """For each feature in our order (pixel by pixel), its position in torch's order."""
    return (
        torch.arange(channels * height * width)
        .view(channels, height, width)
        .permute(1, 2, 0)
        .flatten()
    )


def _reorder(layers: list[nn.Module], order: Tensor) -> None:
    """Reorder the outputs of the last dense layer, and of norms after it, to torch's order."""
    for layer in reversed(layers):
        for values in [*layer.parameters(), *layer.buffers()]:
            if values.dim() > 0:
                values.copy_(torch.empty_like(values).index_copy_(0, order, values))
        if isinstance(layer, nn.Linear):
            return


def _as_torchs(layer: nn.Module) -> nn.Module:
    """A copy of a layer with torch's own forward, in contiguous memory."""
    twin = copy.deepcopy(layer)
    for kind in (nn.Conv2d, nn.ConvTranspose2d, nn.Dropout):
        if isinstance(twin, kind):
            twin.__class__ = kind
    return twin.to(memory_format=torch.contiguous_format)
