"""The three calls for notebooks and scripts: `score`, `sample` and `compare`.

The commands of the same names make the same calls. The package exports them: ``ganvae.score``.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ganvae.config import ComputeConfig, InceptionConfig, parse
from ganvae.core import compute
from ganvae.data.samples import Samples, name_of, read_samples, take_samples
from ganvae.evaluation import scoring
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.scoring import Family, SplitName
from ganvae.judge.network import FrozenJudge
from ganvae.pipeline.pretrained import find_weights
from ganvae.pipeline.sampling import draw_samples
from ganvae.report.notebook import Scored, compare

__all__ = ["compare", "sample", "score"]

KEPT: dict[tuple[object, ...], Evaluator] = {}
"""The evaluator of the last call of `score`, by everything that determined it.

Making an evaluator takes about half a minute. Scoring a few hundred images takes some seconds.
"""


def score(  # noqa: PLR0913  one parameter per option of the command
    images: str | Path | npt.NDArray[Any] | Tensor,
    dataset: str = "mnist",
    *,
    split: SplitName = "test",
    model: str | None = None,
    family: Family = "other",
    seed: int = 0,
    data: str | Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    inception: Mapping[str, str | None] | None = None,
    report: Callable[[str], None] = print,
) -> Scored:
    """Score images of any model in the same way as the pipeline.

    Args:
        images: a path that `read_samples` reads, or an array or tensor that `take_samples` takes.
        dataset: a registered data set. Its images and its judge are used.
        split: the split of real images to score against.
        model, family, seed: name, family and training seed of the images' model, for the record. By
            default, the name is the name of the file, or ``samples``.
        data: the folder of the data set's files. None means the folder that
            `ganvae.data.places.find_folder` finds.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: the number of CPU threads of this process. None changes nothing.
        inception: ``file`` and ``sha256`` of an Inception network, for FID and KID in its features.
        report: a function called with one line of text before each long step.

    Returns:
        A score record. Its scores are attributes too.

    Raises:
        UserError: an argument is wrong, a file is missing or damaged, or the images have another
            size, number of channels or range than the data set's images.
    """
    path = Path(images) if isinstance(images, str | Path) else None
    name = model or (name_of(path) if path else "samples")
    scoring.check_model(name)
    machine = {"device": device, "threads": threads, "precision": "fp32"}
    judge = scoring.find_judge(dataset, compute.use(parse(ComputeConfig, machine, "compute")))
    settings = parse(InceptionConfig, inception, "inception") if inception else None
    shape = judge.image_shape
    given: Samples = read_samples(path, shape) if path else take_samples(images, shape)
    folder = Path(data) if data else None
    evaluator = _evaluator(judge, (dataset, split, folder, settings), report)
    record = scoring.score_samples(
        given.images, evaluator, model=name, family=family, seed=seed, report=report
    )
    return Scored.of(record.model_copy(update={"remarks": list(given.remarks)}))


def sample(model: str | Path, n: int = 64, seed: int = 0) -> npt.NDArray[np.float32]:
    """Draw images from a pretrained model or from a weights file.

    Args:
        model: a variant of the laptop profile, ``PROFILE/VARIANT``, or the path of a weights file
            (``*.safetensors``). ``gan`` and ``vae`` stand for the finalists of a profile.
        n: the number of images.
        seed: the random seed of the latents. Equal models, seeds and ``n`` give equal images.

    Returns:
        The images, N x C x H x W, in [0, 1].

    Raises:
        UserError: there is no such model, its file is damaged, or this machine has too little
            memory.
    """
    images: npt.NDArray[np.float32] = draw_samples(find_weights(str(model)), n, seed).numpy()
    return images


def _evaluator(
    judge: FrozenJudge,
    about: tuple[str, SplitName, Path | None, InceptionConfig | None],
    report: Callable[[str], None],
) -> Evaluator:
    """Return the evaluator of the last call, or make another one for other arguments.

    Args:
        about: data set, split, folder of the files, and Inception network.
    """
    key = (*about, judge.sha256, judge.device)
    if key not in KEPT:
        dataset, split, folder, inception = about
        KEPT.clear()
        KEPT[key] = scoring.evaluator_of(dataset, split, folder, judge, inception, report)
    return KEPT[key]
