"""Judges of people: who is chosen, what is held out, and what verification says."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvae.config import IdentitiesConfig
from ganvae.core.errors import ConfigError
from ganvae.data.source import LabelledImages
from ganvae.judge.identities import chosen_photos, verification_auc

CHOICE = IdentitiesConfig(min_photos=5, held_out_share=0.2)
COUNTS = {3: 5, 7: 4, 8: 20, 11: 12}  # photos by person; the second has too few


def photos(counts: dict[int, int]) -> LabelledImages:
    """One-pixel photos, each of another value, in mixed order."""
    labels = np.random.default_rng(0).permutation(np.repeat(list(counts), list(counts.values())))
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return LabelledImages(images, labels.astype(np.int64))


def test_people_with_photos_enough_are_chosen_and_a_share_of_each_held_out() -> None:
    data = photos(COUNTS)
    found = chosen_photos(data, CHOICE, seed=0)
    assert found.people == 3
    assert np.bincount(found.train.labels).tolist() == [4, 16, 10]
    assert np.bincount(found.held_out.labels).tolist() == [1, 4, 2]
    assert found.chance == pytest.approx(4 / 7)
    people = np.array([3, 8, 11])
    for part in (found.train, found.held_out):
        assert (data.labels[part.images.ravel()] == people[part.labels]).all()
    trained, held_out = set(found.train.images.ravel()), set(found.held_out.images.ravel())
    assert not trained & held_out
    assert len(trained | held_out) == 37


def test_the_seed_decides_what_is_held_out() -> None:
    first, again, other = (
        chosen_photos(photos(COUNTS), CHOICE, seed).held_out.images.ravel().tolist()
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_too_few_people_are_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"min_photos = 13: 1 people have so many .* anybody has is 20"
    ):
        chosen_photos(photos(COUNTS), IdentitiesConfig(min_photos=13, held_out_share=0.2), 0)


class Directions(nn.Module):
    """Features are the direction that a one-pixel photo's value stands for, in degrees."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        angles = torch.deg2rad(255 * images.flatten())
        return torch.stack([angles.cos(), angles.sin()], dim=1), images


def pair_of_people(first: list[int], second: list[int]) -> LabelledImages:
    images = np.array([*first, *second], dtype=np.uint8).reshape(-1, 1, 1, 1)
    return LabelledImages(images, np.repeat([0, 1], [len(first), len(second)]).astype(np.int64))


@pytest.mark.parametrize(
    ("first", "second", "area"),
    [
        ([0, 5, 10], [90, 95, 100], 1.0),  # each person in a direction of his own
        ([0, 180], [90], 0.0),  # a person's photos are opposites, the other's is between them
        ([40, 40, 40], [40, 40, 40], 0.5),  # all the same
    ],
)
def test_verification_is_the_area_under_the_roc_curve(
    first: list[int], second: list[int], area: float
) -> None:
    found = verification_auc(Directions(), pair_of_people(first, second), seed=0)
    assert found == pytest.approx(area)


def test_verification_needs_pairs_of_both_kinds() -> None:
    for first, second in (([1], [2]), ([1, 2, 3], [])):
        with pytest.raises(ConfigError, match=r"data\.test_size: .* none of the one kind"):
            verification_auc(Directions(), pair_of_people(first, second), seed=0)
