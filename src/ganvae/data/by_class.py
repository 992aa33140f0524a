"""Per-class folders of PNG files: ``<split>/<class>/<index>.png``."""

from pathlib import Path

from PIL import Image

from ganvae.core.files import replacing
from ganvae.data.store import StoredSplit


def write_by_class(directory: Path, splits: list[StoredSplit], per_class: int | None) -> None:
    """Write the first ``per_class`` images of each class and split as PNG files.

    If ``per_class`` is None, write all images. The name of a file is the image's index in the
    official training or test set. A class without images in a split gets no folder in this split.
    The whole folder ``directory`` is replaced atomically.
    """
    with replacing(directory) as temporary:
        for split in splits:
            for label in split.labels.unique().tolist():
                folder = temporary / split.split / split.classes[label]
                folder.mkdir(parents=True)
                members = (split.labels == label).nonzero().flatten()[:per_class]
                for member in members.tolist():
                    pixels = split.images[member].permute(1, 2, 0).squeeze(-1).numpy()
                    Image.fromarray(pixels).save(folder / f"{int(split.index[member]):05d}.png")
