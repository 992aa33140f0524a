"""Judges of people: whom they are trained on, and whether they know strangers apart."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor

from ganvae.config import IdentitiesConfig
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.core.seeds import derive
from ganvae.data.source import LabelledImages
from ganvae.judge.network import Judge


@dataclass(frozen=True)
class Photos:
    """Photos of the same ``people``, numbered from 0, to train on and to test on."""

    train: LabelledImages
    held_out: LabelledImages
    people: int

    @property
    def chance(self) -> float:
        """Share of the held-out photos that is right for who always names the commonest person."""
        return float(np.bincount(self.held_out.labels).max() / len(self.held_out))


def chosen_photos(data: LabelledImages, config: IdentitiesConfig, seed: int) -> Photos:
    """The photos of those with at least ``min_photos``, a share of each one's held out.

    Args:
        data: labels are people.
        seed: decides which are held out.

    Raises:
        ConfigError: fewer than two people have so many.
    """
    people, counts = np.unique(data.labels, return_counts=True)
    people = people[counts >= config.min_photos]
    if len(people) < 2:
        raise ConfigError(
            f"identities.min_photos = {config.min_photos}: {len(people)} people have so many in "
            f"the training split, two are needed; the most that anybody has is {counts.max()}."
        )
    random = np.random.default_rng(derive(seed, "held-out photos"))
    trained, held_out = [], []
    for person in people:
        photos = random.permutation(np.flatnonzero(data.labels == person))
        n = max(1, round(config.held_out_share * len(photos)))
        held_out.append(photos[:n])
        trained.append(photos[n:])
    return Photos(
        train=_renumbered(data, people, trained),
        held_out=_renumbered(data, people, held_out),
        people=len(people),
    )


def _renumbered(
    data: LabelledImages,
    people: npt.NDArray[np.int64],
    photos: list[npt.NDArray[np.int64]],
) -> LabelledImages:
    """The photos in the order of the data; a person's label is his or her place in ``people``."""
    index = np.sort(np.concatenate(photos))
    return LabelledImages(data.images[index], np.searchsorted(people, data.labels[index]))


def verification_auc(judge: Judge, data: LabelledImages, seed: int) -> float:
    """How well the features tell whether two photos are of one person: area under the ROC curve.

    By cosine similarity, over all pairs of photos of one person, and as many random pairs of
    photos of two. 0.5 is chance. Of people that the judge was not trained on it says whether its
    features mean something beyond those that it was.

    Args:
        data: labels are people, some with more than one photo.
        seed: of the pairs of two people.

    Raises:
        ConfigError: nobody has two photos, or all photos are of one person.
    """
    features = F.normalize(_features(judge, data))
    first, second = np.triu_indices(len(data), k=1)
    same = data.labels[first] == data.labels[second]
    alike, unlike = np.flatnonzero(same), np.flatnonzero(~same)
    if not len(alike) or not len(unlike):
        raise ConfigError(
            "data.test_size: the judge's features are tried on pairs of test photos of one person "
            "and of two, and there are none of the one kind: give a larger one."
        )
    random = np.random.default_rng(derive(seed, "pairs of two people"))
    unlike = random.choice(unlike, min(len(alike), len(unlike)), replace=False)
    pairs = np.concatenate([alike, unlike])
    similarity = (features[first[pairs]] * features[second[pairs]]).sum(dim=1)
    return float(roc_auc_score(same[pairs], similarity.numpy()))


@torch.inference_mode()
def _features(judge: Judge, data: LabelledImages, batch_size: int = 125) -> Tensor:
    batches = torch.from_numpy(data.images).split(batch_size)
    return torch.cat([judge(from_uint8(images))[0] for images in batches])
