"""The classes of a split that pictures show, at most ten."""

from torch import Tensor

from ganvae.data.store import StoredSplit

MOST = 10


def shown_classes(split: StoredSplit) -> dict[int, Tensor]:
    """A mapping from the label of each shown class to the indices of its images in ``split``.

    The shown classes are the ten classes with most images. If classes have equally many images, the
    class with the smaller label comes first. Classes without images are left out.
    """
    counts = split.labels.bincount(minlength=len(split.classes))
    order = counts.argsort(descending=True, stable=True)[:MOST]
    labels = sorted(label for label in order.tolist() if counts[label])
    return {label: (split.labels == label).nonzero().flatten() for label in labels}


def of_classes(split: StoredSplit, what: str) -> str:
    """Return the text ``what``, with a remark if ``split`` has more than ten classes."""
    return f"{what} ({MOST} classes with most images)" if len(split.classes) > MOST else what
