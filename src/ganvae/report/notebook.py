"""The call `ganvae.compare`, and results that print their tables in a notebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Self

from ganvae.report.record_files import compare_given
from ganvae.report.score_text import score_text
from ganvae.report.text import comparison_text
from ganvae.scores.comparison import Comparison
from ganvae.scores.records import ScoreRecord


class Printed:
    """An object that is shown as its text, with aligned columns in a notebook too."""

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre; overflow-x: auto">{escape(str(self))}</pre>'


class Scored(Printed, ScoreRecord):
    """A score record whose scores are attributes too, for example ``record.fid_judge``."""

    @classmethod
    def of(cls, record: ScoreRecord) -> Self:
        """Make a `Scored` with the fields of a record."""
        return cls.model_construct(**dict(record))

    def __getattr__(self, name: str) -> Any:
        scores = self.__dict__.get("scores", {})
        if name in scores:
            return scores[name]
        raise AttributeError(
            f"{name!r} is neither a field of a record nor one of its scores: {', '.join(scores)}"
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.scores]

    def __str__(self) -> str:
        return score_text(self)

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class Compared(Printed):
    """A comparison of records, and remarks on records with the same samples."""

    comparison: Comparison
    remarks: list[str]

    def __str__(self) -> str:
        return comparison_text(self.comparison, self.remarks)

    __repr__ = __str__


def compare(
    records: ScoreRecord | str | Path | Sequence[ScoreRecord | str | Path],
    finalists: Sequence[str] | None = None,
) -> Compared:
    """Rank the models in score records, and test the differences between them.

    Args:
        records: records, paths of files with records, and names of profiles, such as ``laptop``,
            for their published records.
        finalists: a GAN and a VAE to compare by every score.

    Returns:
        The comparison. Printed, it is a table.

    Raises:
        UserError: a file is not a score record, the records cannot be ranked together, or all
            records have flags.
    """
    several = [records] if isinstance(records, ScoreRecord | str | Path) else records
    given = [Path(each) if isinstance(each, str) else each for each in several]
    return Compared(*compare_given(given, finalists))
