"""Where a profile's files are, relative to the repository root; dvc.yaml names the same places.

``results/`` is small and kept in git; ``data/`` and ``artifacts/`` are kept in DVC's cache. So each
run's pictures are among the artifacts, and those of one run per model among the results.
"""

from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
"""The clone that this package was installed from, if it was installed from one (editable)."""


def checkout_root() -> Path:
    """The nearest folder upwards that DVC manages, or else the working directory."""
    here = Path.cwd()
    return next((path for path in (here, *here.parents) if (path / ".dvc").is_dir()), here)


@dataclass(frozen=True)
class RunPaths:
    """The files of one training run; ``pictures``: folder of what there is to see of it."""

    results: Path
    artifacts: Path
    pictures: Path

    @property
    def weights(self) -> Path:
        return self.artifacts / "weights.safetensors"

    @property
    def progress(self) -> Path:
        """Folder of sample grids by step."""
        return self.artifacts / "progress"

    @property
    def outcome(self) -> Path:
        """What training came to; nothing in it depends on the clock."""
        return self.results / "outcome.json"

    @property
    def timing(self) -> Path:
        """What depends on the clock, kept apart so that it makes no later stage stale."""
        return self.results / "timing.json"

    @property
    def history(self) -> Path:
        return self.results / "history.csv"

    @property
    def scores(self) -> Path:
        return self.results / "scores.json"

    @property
    def validation(self) -> Path:
        """FID on the validation split, by which champions are chosen."""
        return self.results / "validation.json"


@dataclass(frozen=True)
class ProfilePaths:
    """The files of one profile."""

    profile: str

    @property
    def data(self) -> Path:
        return Path("data") / self.profile

    @property
    def results(self) -> Path:
        return Path("results") / self.profile

    def split(self, name: str) -> Path:
        return self.data / f"{name}.safetensors"

    @property
    def by_class(self) -> Path:
        return self.data / "by_class"

    @property
    def pretrained(self) -> Path:
        """Folder of weights that anybody can sample from."""
        return self.results / "pretrained"

    @property
    def runs(self) -> Path:
        """Folder of what each run came to, a folder a run."""
        return self.results / "runs"

    @property
    def pictures(self) -> Path:
        """Folder of the pictures that pages show, a folder a model."""
        return self.results / "pictures"

    @property
    def measuring(self) -> Path:
        """How all runs are measured: settings, and checksums of the files that it takes."""
        return self.data / "measuring.json"

    @property
    def reference(self) -> Path:
        return self.data / "reference.safetensors"

    @property
    def train_features(self) -> Path:
        """The judge's features of the training images, apart from those of the test images."""
        return self.data / "train_features.safetensors"

    @property
    def validation_features(self) -> Path:
        """The judge's features of the validation images: all that a sweep compares with."""
        return self.data / "validation_features.safetensors"

    @property
    def baselines(self) -> Path:
        return self.results / "baselines"

    def run(self, key: str) -> RunPaths:
        artifacts = Path("artifacts") / self.profile
        return RunPaths(self.runs / key, artifacts / key, artifacts / "pictures" / key)
