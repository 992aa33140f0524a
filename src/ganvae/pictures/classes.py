"""The classes of a split that pictures show, at most ten."""

from torch import Tensor

from ganvae.data.store import StoredSplit

MOST = 10


def shown_classes(split: StoredSplit) -> dict[int, Tensor]:
    """The indices of the images of each shown class, by label.

    Shown are the ten classes with most images; ties go to the first classes. Classes without
    images are left out.
    """
    counts = split.labels.bincount(minlength=len(split.classes))
    order = counts.argsort(descending=True, stable=True)[:MOST]
    labels = sorted(label for label in order.tolist() if counts[label])
    return {label: (split.labels == label).nonzero().flatten() for label in labels}


def of_classes(split: StoredSplit, what: str) -> str:
    """The text ``what``, with a remark if the split has more classes than are shown."""
    return f"{what} ({MOST} classes with most images)" if len(split.classes) > MOST else what
