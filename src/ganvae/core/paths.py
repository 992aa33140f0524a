"""Paths of a profile's files, relative to the repository's root. dvc.yaml has the same paths.

``results/`` is small and kept in git; ``data/`` and ``artifacts/`` are kept in DVC's cache. The
pictures of every run are in ``artifacts/``. The pictures of one run per variant are in
``results/`` too.
"""

from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
"""Root of the clone that this package was installed from, if it was installed as editable."""


def checkout_root() -> Path:
    """The repository's root: the working directory or its nearest parent with a folder ``.dvc``.

    If there is no such folder, it is the working directory.
    """
    here = Path.cwd()
    return next((path for path in (here, *here.parents) if (path / ".dvc").is_dir()), here)


@dataclass(frozen=True)
class RunPaths:
    """Folders and files of one training run."""

    results: Path
    artifacts: Path
    pictures: Path

    @property
    def weights(self) -> Path:
        return self.artifacts / "weights.safetensors"

    @property
    def progress(self) -> Path:
        """Folder of sample grids, one per step at which samples were drawn."""
        return self.artifacts / "progress"

    @property
    def outcome(self) -> Path:
        """How training ended. Nothing in this file depends on the clock."""
        return self.results / "outcome.json"

    @property
    def timing(self) -> Path:
        """Durations. They have their own file so that they do not make later stages stale."""
        return self.results / "timing.json"

    @property
    def history(self) -> Path:
        return self.results / "history.csv"

    @property
    def scores(self) -> Path:
        return self.results / "scores.json"

    @property
    def validation(self) -> Path:
        """FID on the validation split, which decides the champions."""
        return self.results / "validation.json"


@dataclass(frozen=True)
class ProfilePaths:
    """Folders and files of one profile."""

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
        """Folder of the published weights, from which a clone can sample."""
        return self.results / "pretrained"

    @property
    def runs(self) -> Path:
        """Folder of the results of runs, with one folder per run."""
        return self.results / "runs"

    @property
    def pictures(self) -> Path:
        """Folder of the pictures that pages show, with one folder per variant."""
        return self.results / "pictures"

    @property
    def measuring(self) -> Path:
        """How all runs are scored: the settings, and checksums of the files that scoring reads."""
        return self.data / "measuring.json"

    @property
    def reference(self) -> Path:
        return self.data / "reference.safetensors"

    @property
    def train_features(self) -> Path:
        """The judge's features of the training images."""
        return self.data / "train_features.safetensors"

    @property
    def validation_features(self) -> Path:
        """The judge's features of the validation images. Sweeps compare with these alone."""
        return self.data / "validation_features.safetensors"

    @property
    def baselines(self) -> Path:
        return self.results / "baselines"

    def run(self, key: str) -> RunPaths:
        artifacts = Path("artifacts") / self.profile
        return RunPaths(self.runs / key, artifacts / key, artifacts / "pictures" / key)
