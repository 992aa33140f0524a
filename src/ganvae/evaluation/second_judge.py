"""The second judge of a profile, which was trained without labels."""

from pathlib import Path

from ganvae.config import EvaluationConfig
from ganvae.core.errors import DataError
from ganvae.judge.unlabelled import UnlabelledJudge


def second_judge(
    config: EvaluationConfig, device: str = "cpu", root: Path = Path()
) -> UnlabelledJudge | None:
    """Load the judge that ``evaluation.unlabelled_judge`` names. Return None if it names none.

    Args:
        root: the folder that the path in the settings starts from.

    Raises:
        DataError: the file is missing or damaged, or has another checksum than the settings.
    """
    given = config.unlabelled_judge
    if given is None:
        return None
    judge = UnlabelledJudge(root / given.file, device)
    if judge.sha256 != given.sha256:
        raise DataError(
            f"evaluation.unlabelled_judge.file is {given.file!r}, but the SHA-256 checksum of this "
            f"file is {judge.sha256}, and evaluation.unlabelled_judge.sha256 is {given.sha256}. "
            "Give the right file, or give the right checksum."
        )
    return judge
