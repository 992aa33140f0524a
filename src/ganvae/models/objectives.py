"""The objectives of GANs by name. An objective has one loss of D and one loss of G.

D is a discriminator, G a generator. x is an image, z a latent. D(x) is the logit of x.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch.nn.functional as F
from torch import Tensor

from ganvae.models.losses import minimax_loss, non_saturating_loss, real_or_fake_loss

LossName = Literal["non-saturating", "minimax", "hinge", "wgan-gp", "relativistic"]


class DiscriminatorLoss(Protocol):
    """A loss of D. Its arguments are D's logits of equally many real and generated images."""

    def __call__(self, *, real: Tensor, generated: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Objective:
    """The losses of D and G, as functions of D's logits.

    Attributes:
        discriminator_loss: the loss of D.
        generator_loss: the loss of G. The argument is D(G(z)), or D(G(z)) - D(x) if ``paired``.
        paired: whether the loss of G compares each generated image with a real image.
        cross_entropy: whether D's loss is a cross-entropy between real and generated images. The
            logit of the best D is then the log of the density ratio of data and model.
    """

    discriminator_loss: DiscriminatorLoss
    generator_loss: Callable[[Tensor], Tensor]
    paired: bool = False
    cross_entropy: bool = False


def cross_entropy(*, real: Tensor, generated: Tensor) -> Tensor:
    """D's mean loss over equally many real and generated images (1406.2661, eq. 1).

    -(E log sigmoid(D(x)) + E log(1 - sigmoid(D(G(z))))) / 2
    """
    return (real_or_fake_loss(real, 1.0) + real_or_fake_loss(generated, 0.0)) / 2


def hinge_loss(*, real: Tensor, generated: Tensor) -> Tensor:
    """D's loss E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) (1705.02894; 1802.05957, eq. 16)."""
    return F.relu(1 - real).mean() + F.relu(1 + generated).mean()


def wasserstein_loss(*, real: Tensor, generated: Tensor) -> Tensor:
    """D's loss E D(G(z)) - E D(x), without the gradient penalty (1704.00028, eq. 3)."""
    return generated.mean() - real.mean()


def pairing_loss(*, real: Tensor, generated: Tensor) -> Tensor:
    """D's loss E softplus(-(D(x) - D(G(z)))) over pairs (1807.00734; 2501.05441, eq. 2)."""
    return non_saturating_loss(real - generated)


def critic_loss(logits: Tensor) -> Tensor:
    """Compute G's loss -E D(G(z)) (1704.00028, section 2.2; 1802.05957, eq. 17)."""
    return -logits.mean()


OBJECTIVES: dict[LossName, Objective] = {
    "non-saturating": Objective(cross_entropy, non_saturating_loss, cross_entropy=True),
    "minimax": Objective(cross_entropy, minimax_loss, cross_entropy=True),
    "hinge": Objective(hinge_loss, critic_loss),
    "wgan-gp": Objective(wasserstein_loss, critic_loss),
    "relativistic": Objective(pairing_loss, non_saturating_loss, paired=True),
}
"""A mapping from the name of a loss to its objective."""
