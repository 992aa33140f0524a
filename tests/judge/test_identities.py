"""Judges of people: the choice of people, the held-out photos, and face verification."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvae.config import IdentitiesConfig
from ganvae.core.errors import ConfigError
from ganvae.data.source import LabelledImages
from ganvae.judge.identities import chosen_photos, verification_auc

CHOICE = IdentitiesConfig(min_photos=5, held_out_share=0.2)
COUNTS = {3: 5, 7: 4, 8: 20, 11: 12}  # photos per person; person 7 has too few


def photos(counts: dict[int, int]) -> LabelledImages:
    """One-pixel photos with different values, in random order."""
    labels = np.random.default_rng(0).permutation(np.repeat(list(counts), list(counts.values())))
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return LabelledImages(images, labels.astype(np.int64))


def test_people_with_enough_photos_are_chosen_and_photos_held_out_per_person() -> None:
    data = photos(COUNTS)
    chosen = chosen_photos(data, CHOICE, seed=0)
    assert chosen.people == 3
    assert np.bincount(chosen.train.labels).tolist() == [4, 16, 10]
    assert np.bincount(chosen.held_out.labels).tolist() == [1, 4, 2]
    assert chosen.chance == pytest.approx(4 / 7)
    people = np.array([3, 8, 11])
    for part in (chosen.train, chosen.held_out):
        assert (data.labels[part.images.ravel()] == people[part.labels]).all()
    trained, held_out = set(chosen.train.images.ravel()), set(chosen.held_out.images.ravel())
    assert not trained & held_out
    assert len(trained | held_out) == 37


def test_the_seed_decides_the_held_out_photos() -> None:
    first, again, other = (
        chosen_photos(photos(COUNTS), CHOICE, seed).held_out.images.ravel().tolist()
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_too_few_people_are_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"min_photos is 13, but .* \(found: 1\)\. .* photos per person is 20"
    ):
        chosen_photos(photos(COUNTS), IdentitiesConfig(min_photos=13, held_out_share=0.2), 0)


class Directions(nn.Module):
    """The features are a unit vector whose angle in degrees is the photo's pixel value."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        angles = torch.deg2rad(255 * images.flatten())
        return torch.stack([angles.cos(), angles.sin()], dim=1), images


def pair_of_people(first: list[int], second: list[int]) -> LabelledImages:
    images = np.array([*first, *second], dtype=np.uint8).reshape(-1, 1, 1, 1)
    return LabelledImages(images, np.repeat([0, 1], [len(first), len(second)]).astype(np.int64))


@pytest.mark.parametrize(
    ("first", "second", "area"),
    [
        ([0, 5, 10], [90, 95, 100], 1.0),  # each person has a separate direction
        ([0, 180], [90], 0.0),  # the first person's photos are opposite, the second's is between
        ([40, 40, 40], [40, 40, 40], 0.5),  # all photos are equal
    ],
)
def test_verification_score_is_the_area_under_the_roc_curve(
    first: list[int], second: list[int], area: float
) -> None:
    score = verification_auc(Directions(), pair_of_people(first, second), seed=0)
    assert score == pytest.approx(area)


def test_verification_needs_pairs_of_both_kinds() -> None:
    for first, second in (([1], [2]), ([1, 2, 3], [])):
        with pytest.raises(
            ConfigError, match=r"data\.test_size is too small\. .* of one of the two kinds"
        ):
            verification_auc(Directions(), pair_of_people(first, second), seed=0)
