"""What a match measures of a trained model beside FID in the first judge's features."""

import time
from dataclasses import dataclass

from torch import Tensor

from ganvae.core.seeds import generator
from ganvae.judge.unlabelled import UnlabelledJudge
from ganvae.metrics.fid import fid
from ganvae.models.base import GenerativeModel


@dataclass(frozen=True)
class SecondView:
    """The second judge, and its features of the validation images, N x d."""

    judge: UnlabelledJudge
    features: Tensor

    @classmethod
    def of(cls, judge: UnlabelledJudge, images: Tensor) -> "SecondView":
        """Compute the features of uint8 validation images, N x C x H x W."""
        return cls(judge, judge(images))

    def fid(self, images: Tensor) -> float:
        """FID of uint8 images, N x C x H x W, to the validation images."""
        return fid(real=self.features, generated=self.judge(images))


def sampling_seconds(model: GenerativeModel, n: int = 1000) -> float:
    """Measure the CPU-seconds of drawing 1,000 samples."""
    start = time.process_time()
    model.sample(n, generator(0, "sampling cost"))
    return (time.process_time() - start) * 1000 / n
