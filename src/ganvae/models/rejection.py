"""Discriminator rejection sampling (Azadi et al., 1810.06758).

The logit of a well-trained discriminator D is the log of the density ratio of data and model. So
samples that are accepted with a probability proportional to this ratio follow the data.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

DRAWS = 10_000
"""The number of samples whose logits set the bound and the shift."""
ROUNDS = 100
"""The largest number of proposals for a sample. If none is accepted, the last one is kept."""
EPSILON = 1e-14  # keeps the logarithm finite at the bound, as in the paper

Proposals = Callable[[int, torch.Generator], Tensor]


class Rejection(nn.Module):
    """The acceptance of samples by D. Bound and shift are fitted once, after training.

    The buffer ``limits`` holds the bound (the largest logit of the fitting draws) and the shift
    gamma (section 3.2 of the paper). ``percentile`` selects gamma: the sample at this percentile of
    the fitting draws is accepted with probability 1/2. A higher percentile accepts fewer samples.
    """

    fitted: Tensor
    limits: Tensor

    def __init__(self, percentile: float) -> None:
        super().__init__()
        self.percentile = percentile
        self.register_buffer("fitted", torch.zeros(()))
        self.register_buffer("limits", torch.zeros(2))

    def fit(self, logits: Tensor) -> None:
        """Set bound and shift from D's logits of samples of the model."""
        bound = logits.max()
        scores = _scores(logits, bound)
        shift = scores.quantile(self.percentile / 100)
        self.limits.copy_(torch.stack([bound.double(), shift]))
        self.fitted.fill_(1)

    def acceptance(self, logits: Tensor) -> Tensor:
        """Compute the probability that each sample is accepted: float64, like ``logits`` in shape.

        A logit above the bound counts as the bound. With shift 0, the probability is
        exp(logit - bound) (eq. 8 of the paper).
        """
        bound, shift = self.limits.double()
        return torch.sigmoid(_scores(logits, bound) - shift)

    def sample(
        self,
        n: int,
        generator: torch.Generator,
        propose: Proposals,
        judge: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Draw ``n`` latents that D accepts.

        Each round draws one proposal and one uniform number for every sample. A sample uses the
        proposal of its first accepting round, so no sample depends on the others. There are at most
        `ROUNDS` rounds.

        Args:
            generator: the source of all random numbers. Its state afterwards does not depend on
                the number of rounds.
            propose: a function that draws latents, given their number and a generator.
            judge: a function from latents to D's logits, one per latent.

        Returns:
            The latents, n x latent size, on the generator's device.
        """
        rounds = iter(_generators(generator))
        chosen = propose(n, next(rounds))
        waiting = torch.arange(n, device=chosen.device)
        uniforms = _uniforms(n, next(rounds))
        while True:
            accepted = uniforms[waiting] < self.acceptance(judge(chosen[waiting])).to(chosen.device)
            waiting = waiting[~accepted]
            source = next(rounds, None)
            if source is None or not len(waiting):
                return chosen
            chosen[waiting] = propose(n, source)[waiting]
            uniforms = _uniforms(n, next(rounds))


def _scores(logits: Tensor, bound: Tensor) -> Tensor:
    """Compute F(x) of the paper without gamma (eq. 8), in float64."""
    gap = (logits.double() - bound.double()).clamp(max=0)
    return gap - torch.log(-torch.expm1(gap - EPSILON))


def _generators(generator: torch.Generator) -> list[torch.Generator]:
    """Return two generators per round: the first for proposals, the second for uniform numbers."""
    device = generator.device
    seeds = torch.randint(2**62, (2 * ROUNDS,), generator=generator, device=device).tolist()
    return [torch.Generator(device).manual_seed(seed) for seed in seeds]


def _uniforms(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator, device=generator.device, dtype=torch.float64)
