"""Paths of a profile's files, relative to the repository's root. dvc.yaml repeats these paths.

Git keeps ``results/``, a small folder. DVC's cache keeps ``data/`` and ``artifacts/``. The pictures
of every training run are in ``artifacts/``. Pages show the pictures of one training run per
variant, and ``results/`` has a copy of these pictures.
"""

from dataclasses import dataclass
from pathlib import Path

from ganvae.core.errors import UserError

SUBMITTED = Path("results/submitted")
"""The folder with one folder of submitted records per profile."""
NO_PROFILES = ("matches", SUBMITTED.name, "sweeps")
"""The folders in `results/` that are not profiles."""


def checkout_root(folder: Path | None = None) -> Path:
    """The repository's root: a folder or its nearest parent with a folder ``.dvc``.

    Return the folder itself if no parent has a folder ``.dvc``.

    Args:
        folder: an absolute path; by default the working directory.
    """
    here = folder or Path.cwd()
    return next((path for path in (here, *here.parents) if (path / ".dvc").is_dir()), here)


def project_root() -> Path:
    """The root of the clone or project that the working directory is in.

    Raises:
        UserError: the working directory is in neither.
    """
    root = checkout_root()
    if not (root / ".dvc").is_dir():
        raise UserError(
            f"{root} is not in a project or a clone. Run the command in a project (`ganvae new`) "
            "or a clone."
        )
    return root


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
        """Folder of sample grids from training, with one grid per sampled step."""
        return self.artifacts / "progress"

    @property
    def outcome(self) -> Path:
        """File that says how training ended. The file contains no times and no durations."""
        return self.results / "outcome.json"

    @property
    def timing(self) -> Path:
        """File of durations.

        Durations are not in the file ``outcome``. So stages that depend on ``outcome`` do not run
        again when only durations change.
        """
        return self.results / "timing.json"

    @property
    def history(self) -> Path:
        return self.results / "history.csv"

    @property
    def scores(self) -> Path:
        return self.results / "scores.json"

    @property
    def validation(self) -> Path:
        """File of the FID on the validation split.

        The champions, the best GAN and VAE of a profile, are chosen by this FID.
        """
        return self.results / "validation.json"

    @property
    def annealed(self) -> Path:
        """File of the log-likelihood of test images, estimated by annealed importance sampling.

        Only the training runs in the parameter ``annealing.runs`` have this file.
        """
        return self.results / "annealed.json"


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
        """Folder of published weights. Any clone can draw samples with these weights."""
        return self.results / "pretrained"

    @property
    def runs(self) -> Path:
        """Folder of the results of training runs, with one folder per training run."""
        return self.results / "runs"

    @property
    def submitted(self) -> Path:
        """Folder of the score records of samples that were handed in (`ganvae submit`)."""
        return SUBMITTED / self.profile

    @property
    def pictures(self) -> Path:
        """Folder of the pictures on pages, with one folder per variant."""
        return self.results / "pictures"

    @property
    def measuring(self) -> Path:
        """File of the scoring settings, and of checksums of the files that scoring reads."""
        return self.data / "measuring.json"

    @property
    def reference(self) -> Path:
        return self.data / "reference.safetensors"

    @property
    def train_features(self) -> Path:
        """File of the training images' features, computed by the judge."""
        return self.data / "train_features.safetensors"

    @property
    def validation_features(self) -> Path:
        """File of the validation images' features, computed by the judge.

        Sweeps compare generated images only with these features.
        """
        return self.data / "validation_features.safetensors"

    @property
    def baselines(self) -> Path:
        return self.results / "baselines"

    @property
    def artifacts(self) -> Path:
        return Path("artifacts") / self.profile

    @property
    def drawn(self) -> Path:
        """Folder of all pictures of training runs, with one folder per training run."""
        return self.artifacts / "pictures"

    def run(self, key: str) -> RunPaths:
        return RunPaths(self.runs / key, self.artifacts / key, self.drawn / key)
