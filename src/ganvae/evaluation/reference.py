"""The real side of every comparison: the judge's view of a split, computed once."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganvae.data.store import read_split
from ganvae.errors import UserError
from ganvae.files import sha256
from ganvae.judge.network import FrozenJudge
from ganvae.tensors import load_tensors, save_tensors


@dataclass(frozen=True)
class Reference:
    """Features, N x d, of all images of one split, and what they were computed from."""

    features: Tensor
    dataset: str
    split: str
    judge_sha256: str
    data_sha256: str


def make_reference(split_path: Path, judge: FrozenJudge) -> Reference:
    """Embed a prepared split with the judge."""
    split = read_split(split_path)
    features, _ = judge(split.images)
    return Reference(features, split.dataset, split.split, judge.sha256, sha256(split_path))


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference, atomically."""
    metadata = {name: value for name, value in vars(reference).items() if name != "features"}
    save_tensors(path, {"features": reference.features}, metadata)


def read_reference(path: Path, judge: FrozenJudge) -> Reference:
    """Read a reference made with ``judge``.

    Raises:
        UserError: it was made with another judge.
    """
    tensors, metadata = load_tensors(path)
    reference = Reference(tensors["features"], **metadata)
    if reference.judge_sha256 != judge.sha256:
        raise UserError(
            f"{path} was made with another judge ({reference.judge_sha256[:12]}) than the one "
            f"given ({judge.sha256[:12]}): run the reference stage again."
        )
    return reference
