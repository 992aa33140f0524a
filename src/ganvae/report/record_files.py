"""`ganvae compare`: compare score records from files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ganvae.core.errors import UserError
from ganvae.core.files import parse_json, read_utf8, write_json
from ganvae.scores.comparison import Comparison, as_json, compare
from ganvae.scores.rankable import check_rankable
from ganvae.scores.records import ScoreRecord, as_score_record

Found = tuple[Path, ScoreRecord]
MAKE_ONE = "`ganvae score SAMPLES --json FILE` writes a score record."


def compare_files(
    paths: Sequence[Path],
    finalists: Sequence[str] | None = None,
) -> tuple[Comparison, list[str]]:
    """Compare all score records in some files.

    Args:
        paths: JSON files, each with one record or a list of records.
        finalists: a GAN and a VAE to compare with each other.

    Returns:
        The comparison, and remarks on records with the same samples.

    Raises:
        UserError: a file is missing or is not a score record; the records cannot be ranked
            together; two records of one variant and seed may have different samples; a named
            variant has no record; or every record is flagged.
    """
    found = [(path, record) for path in paths for record in _read(path)]
    ranked = [(path, record) for path, record in found if not record.flags]
    if not found:
        raise UserError(f"{_listed(paths)}: there are no score records. {MAKE_ONE}")
    _check_names(finalists or (), [record for _, record in found])
    if not ranked:
        raise UserError(
            f"{_listed(paths)}: no record can be ranked, because each record has a flag. The "
            f"first flag: {found[0][1].flags[0]}. {MAKE_ONE}"
        )
    check_rankable([(_labelled(path, record), record) for path, record in ranked])
    records, remarks = _without_copies(ranked)
    flagged = [record for _, record in found if record.flags]
    return compare([*records, *flagged], finalists), remarks


def _check_names(names: Sequence[str], records: Sequence[ScoreRecord]) -> None:
    known = {record.variant for record in records}
    for name in names:
        if name not in known:
            raise UserError(
                f"no record has the variant {name!r}. Choose one of these variants: "
                f"{', '.join(sorted(known))}."
            )


def write_all(path: Path, comparison: Comparison) -> None:
    """Write a whole comparison, with its rows, as a JSON file."""
    rows = [asdict(row) for row in comparison.rows]
    write_json(path, {"rows": rows} | as_json(comparison))


def _read(path: Path) -> list[ScoreRecord]:
    if not path.is_file():
        raise UserError(
            f"{path} is not a file. Give a file of score records, for example "
            f"results/laptop/scores.json. {MAKE_ONE}"
        )
    try:
        content = parse_json(read_utf8(path))
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is not JSON ({error}), so it has no score record. {MAKE_ONE}"
        ) from None
    values = content if isinstance(content, list) else [content]
    return [as_score_record(value, path) for value in values]


def _without_copies(ranked: Sequence[Found]) -> tuple[list[ScoreRecord], list[str]]:
    """Drop records that repeat the samples of an earlier record of the same variant.

    Returns:
        The remaining records, and remarks on records with the same samples.

    Raises:
        UserError: two records of one variant and seed may have different samples.
    """
    samples: dict[tuple[str, str], Found] = {}
    weights: dict[tuple[str, str], Found] = {}
    seeds: dict[tuple[str, int], Found] = {}
    remarks: list[str] = []
    for path, record in ranked:
        if record.samples_sha256 is not None:
            earlier = samples.setdefault((record.variant, record.samples_sha256), (path, record))
            remarks += _other_names(path, record, samples)
            if earlier[1] is not record:
                both = f"{_labelled(*earlier)} and {_labelled(path, record)}"
                remarks.append(f"{both} have the same samples, so only the first record counts")
                continue
        if digest := record.provenance.weights_sha256:
            earlier = weights.setdefault((record.variant, digest), (path, record))
            if earlier[1].seed != record.seed:
                raise UserError(
                    f"{_labelled(*earlier)} and {_labelled(path, record)}: both records have the "
                    "same weights, so they come from one training run. Leave one record out."
                )
        earlier = seeds.setdefault((record.variant, record.seed), (path, record))
        if earlier[1] is not record:
            raise UserError(
                f"{_listed([earlier[0], path])}: there are two records of {record.variant}, seed "
                f"{record.seed}, which may have different samples. Leave out one of the two "
                "records. If the records are from two training runs, give each training run its "
                "own --seed or --model in `ganvae score`."
            )
    return [record for _, record in seeds.values()], remarks


def _other_names(
    path: Path, record: ScoreRecord, samples: Mapping[tuple[str, str], Found]
) -> Iterator[str]:
    """Yield a remark for every record with the same samples as ``record`` but another variant name.

    Args:
        path: the file of ``record``.
        samples: the records to compare with ``record``, by variant and checksum of the samples.
    """
    for (name, digest), other in samples.items():
        if digest == record.samples_sha256 and name != record.variant:
            both = f"{_labelled(*other)} and {_labelled(path, record)}"
            yield f"{both} have the same samples under two variant names"


def _labelled(path: Path, record: ScoreRecord) -> str:
    return f"{path}: {record.variant}, seed {record.seed}"


def _listed(paths: Iterable[Path]) -> str:
    return " and ".join(dict.fromkeys(map(str, paths)))
