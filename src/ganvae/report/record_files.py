"""`ganvae compare`: score records from any files."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json
from ganvae.scores.comparison import Comparison, as_json, compare
from ganvae.scores.rankable import check_rankable
from ganvae.scores.records import ScoreRecord, as_score_record

Found = tuple[Path, ScoreRecord]
MAKE_ONE = "`ganvae score SAMPLES --json FILE` makes a score record."


def compare_files(
    paths: Sequence[Path],
    finalists: Sequence[str] | None = None,
    aside: Collection[str] = (),
) -> tuple[Comparison, list[str]]:
    """Compare all records of some files, and say which of them were not taken as they stand.

    Args:
        paths: JSON files, each a record or a list of records.
        finalists: a GAN and a VAE to compare by themselves.
        aside: models that count in neither family.

    Raises:
        UserError: a file that is missing or holds something else; records that cannot stand in
            one ranking; one model and seed with different samples; no record that may be ranked.
    """
    found = [(path, record) for path in paths for record in _read(path)]
    ranked = [(path, record) for path, record in found if not record.flags]
    if not found:
        raise UserError(f"{_listed(paths)}: holds no record. {MAKE_ONE}")
    _check_names([*(finalists or ()), *aside], [record for _, record in found])
    if not ranked:
        raise UserError(
            f"no record to rank in {_listed(paths)}: {len(found)} found, all of them flagged. "
            f"Score as many samples as the protocol takes: {MAKE_ONE}"
        )
    check_rankable([(_called(*one), one[1]) for one in ranked])
    records, remarks = _without_copies(ranked)
    flagged = [record for _, record in found if record.flags]
    return compare([*records, *flagged], finalists, aside), remarks


def _check_names(names: Sequence[str], records: Sequence[ScoreRecord]) -> None:
    models = {record.variant for record in records}
    for name in names:
        if name not in models:
            raise UserError(f"{name}: no record is of it; there are: {', '.join(sorted(models))}.")


def write_all(path: Path, comparison: Comparison) -> None:
    """All of a comparison, its rows too, as JSON."""
    rows = [asdict(row) for row in comparison.rows]
    write_json(path, {"rows": rows} | as_json(comparison))


def _read(path: Path) -> list[ScoreRecord]:
    if not path.is_file():
        raise UserError(
            f"{path} is no file: give score records, results/laptop/scores.json say. {MAKE_ONE}"
        )
    try:
        content = read_json(path)
    except (UserError, OSError):
        raise UserError(f"{path}: not a score record, which is JSON. {MAKE_ONE}") from None
    values = content if isinstance(content, list) else [content]
    return [as_score_record(value, path) for value in values]


def _without_copies(ranked: Sequence[Found]) -> tuple[list[ScoreRecord], list[str]]:
    """Each run once: the same samples are no second run, whatever seed is given for them."""
    samples: dict[tuple[str, str], Found] = {}
    seeds: dict[tuple[str, int], Found] = {}
    remarks: list[str] = []
    for path, record in ranked:
        if record.samples_sha256 is not None:
            earlier = samples.setdefault((record.variant, record.samples_sha256), (path, record))
            remarks += _twins(path, record, samples)
            if earlier[1] is not record:
                both = f"{_called(*earlier)} and {_called(path, record)}"
                remarks.append(f"{both} are of the same samples; counted once")
                continue
        earlier = seeds.setdefault((record.variant, record.seed), (path, record))
        if earlier[1] is not record:
            raise UserError(
                f"{_listed([earlier[0], path])}: two records of {record.variant}, seed "
                f"{record.seed}, that are not known to be of the same samples. Leave one out; or, "
                "of two trainings, give each its own --seed (`ganvae score`), or another --model."
            )
    return [record for _, record in seeds.values()], remarks


def _twins(
    path: Path, record: ScoreRecord, samples: Mapping[tuple[str, str], Found]
) -> Iterator[str]:
    """That the same samples stand there under another model's name too."""
    for (model, digest), other in samples.items():
        if digest == record.samples_sha256 and model != record.variant:
            both = f"{_called(*other)} and {_called(path, record)}"
            yield f"{both} are of the same samples under two names"


def _called(path: Path, record: ScoreRecord) -> str:
    return f"{path}: {record.variant}, seed {record.seed}"


def _listed(paths: Iterable[Path]) -> str:
    return " and ".join(dict.fromkeys(map(str, paths)))
