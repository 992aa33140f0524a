"""Per-class folders of PNG files: ``<split>/<class>/<index>.png``."""

from pathlib import Path

from PIL import Image

from ganvae.core.files import replacing
from ganvae.data.store import StoredSplit


def write_by_class(directory: Path, splits: list[StoredSplit], per_class: int | None) -> None:
    """Write the first ``per_class`` images (None: all) per class and split as PNG files.

    The file name is the image's index in its official set. If a split has no image of a class, it
    has no folder for the class. The whole tree is written atomically.
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
