"""Functions for judges that distinguish people: choice of photos, and face verification.

A judge is a classifier whose features and logits score generated images.
"""

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
    """Training and held-out photos of the same people. Labels run from 0 to ``people`` - 1."""

    train: LabelledImages
    held_out: LabelledImages
    people: int

    @property
    def chance(self) -> float:
        """Held-out accuracy of always guessing the most frequent person, in [0, 1]."""
        return float(np.bincount(self.held_out.labels).max() / len(self.held_out))


def chosen_photos(data: LabelledImages, config: IdentitiesConfig, seed: int) -> Photos:
    """Choose people with at least ``min_photos`` photos. Hold out some photos of each person.

    Args:
        data: the photos. Each label stands for a person.
        seed: the random seed that selects the held-out photos.

    Raises:
        ConfigError: fewer than two people have ``min_photos`` photos.
    """
    people, counts = np.unique(data.labels, return_counts=True)
    people = people[counts >= config.min_photos]
    if len(people) < 2:
        raise ConfigError(
            f"identities.min_photos is {config.min_photos}, but at least two people must have this "
            f"many photos in the training split (found: {len(people)}). Give a smaller number. "
            f"The largest number of photos per person is {counts.max()}."
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
    """Select the images of ``data`` at the indices ``photos``, in sorted order.

    The new label of an image is the position of its old label in ``people``.
    """
    index = np.sort(np.concatenate(photos))
    return LabelledImages(data.images[index], np.searchsorted(people, data.labels[index]))


def verification_auc(judge: Judge, data: LabelledImages, seed: int) -> float:
    """Area under the ROC curve of face verification by the judge's features, in [0, 1].

    Face verification decides whether two photos show the same person. The decision uses the cosine
    similarity of the features of the two photos. All pairs of photos of the same person are used.
    At most the same number of pairs of different people is drawn at random. A score of 0.5 is
    chance. On people outside the judge's training data, the score shows whether the features
    generalise.

    Args:
        data: the photos. Each label stands for a person. Some person must have two photos.
        seed: the random seed that selects the pairs of different people.

    Raises:
        ConfigError: no person has two photos, or all photos show the same person.
    """
    features = F.normalize(_features(judge, data))
    first, second = np.triu_indices(len(data), k=1)
    same = data.labels[first] == data.labels[second]
    alike, unlike = np.flatnonzero(same), np.flatnonzero(~same)
    if not len(alike) or not len(unlike):
        raise ConfigError(
            "data.test_size is too small. Face verification needs pairs of test photos of the "
            "same person, and pairs of test photos of different people. The test split has no "
            "pairs of one of the two kinds. Give a larger number."
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
