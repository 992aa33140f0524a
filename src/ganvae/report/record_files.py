"""`ganvae compare`: compare score records from files or from memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ganvae.core import assets
from ganvae.core.errors import UserError
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.scores.comparison import Comparison, as_json, compare
from ganvae.scores.rankable import check_rankable
from ganvae.scores.records import MAKE_ONE, ScoreRecord, as_score_record, read_given

Found = tuple[str, ScoreRecord]
"""A record, and the name of its place for messages: a path, or a position in a list."""


def compare_given(
    given: Sequence[ScoreRecord | Path],
    finalists: Sequence[str] | None = None,
) -> tuple[Comparison, list[str]]:
    """Compare score records.

    Args:
        given: records, and JSON files with one record or a list of records. If a path does not
            exist, it may be the name of a profile. Its published records are compared then.
        finalists: a GAN and a VAE to compare with each other.

    Returns:
        The comparison, and remarks on records with the same samples.

    Raises:
        UserError: a file is missing or is not a score record; the records cannot be ranked
            together; two records of one variant and seed may have different samples; a named
            variant has no record; or every record is flagged.
    """
    found = list(_found(given))
    ranked = [(place, record) for place, record in found if not record.flags]
    if not found:
        raise UserError(f"{_listed(given)}there are no score records. {MAKE_ONE}")
    _check_names(finalists or (), [record for _, record in found])
    if not ranked:
        raise UserError(
            f"{_listed(given)}no record can be ranked, because each record has a flag. The "
            f"first flag: {found[0][1].flags[0]}. {MAKE_ONE}"
        )
    check_rankable([(_labelled(place, record), record) for place, record in ranked])
    records, remarks = _without_copies(ranked)
    flagged = [record for _, record in found if record.flags]
    return compare([*records, *flagged], finalists), remarks


def _found(given: Iterable[ScoreRecord | Path]) -> Iterator[Found]:
    for number, each in enumerate(given):
        if isinstance(each, ScoreRecord):
            yield f"records[{number}]", each
        else:
            yield from ((str(each), record) for record in _read(each))


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
    file = path if path.exists() else _published(str(path))
    if not file.is_file():
        profiles = sorted(found.parent.name for found in assets.ROOT.glob("results/*/scores.json"))
        raise UserError(
            f"{path} is not a file. Give a file of score records, or the name of a profile with "
            f"published records ({', '.join(profiles)}). {MAKE_ONE}"
        )
    content = read_given(file)
    values = content if isinstance(content, list) else [content]
    return [as_score_record(value, path) for value in values]


def _published(profile: str) -> Path:
    """The file of a profile's published records. The file may be missing."""
    return assets.ROOT / ProfilePaths(profile).results / "scores.json"


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
    for place, record in ranked:
        if record.samples_sha256 is not None:
            earlier = samples.setdefault((record.variant, record.samples_sha256), (place, record))
            remarks += _other_names(place, record, samples)
            if earlier[1] is not record:
                both = f"{_labelled(*earlier)} and {_labelled(place, record)}"
                remarks.append(f"{both} have the same samples, so only the first record counts")
                continue
        if digest := record.provenance.weights_sha256:
            earlier = weights.setdefault((record.variant, digest), (place, record))
            if earlier[1].seed != record.seed:
                raise UserError(
                    f"{_labelled(*earlier)} and {_labelled(place, record)}: both records have the "
                    "same weights, so they come from one training run. Leave one record out."
                )
        earlier = seeds.setdefault((record.variant, record.seed), (place, record))
        if earlier[1] is not record:
            raise UserError(
                f"{_both(earlier[0], place)}: there are two records of {record.variant}, seed "
                f"{record.seed}, which may have different samples. Leave out one of the two "
                "records. If the records are from two training runs, give each training run its "
                "own --seed or --model in `ganvae score`."
            )
    return [record for _, record in seeds.values()], remarks


def _other_names(
    place: str, record: ScoreRecord, samples: Mapping[tuple[str, str], Found]
) -> Iterator[str]:
    """Yield a remark for every record with the same samples as ``record`` but another variant name.

    Args:
        place: the name of the place of ``record``.
        samples: the records to compare with ``record``, by variant and checksum of the samples.
    """
    for (name, digest), other in samples.items():
        if digest == record.samples_sha256 and name != record.variant:
            both = f"{_labelled(*other)} and {_labelled(place, record)}"
            yield f"{both} have the same samples under two variant names"


def _labelled(place: str, record: ScoreRecord) -> str:
    return f"{place}: {record.variant}, seed {record.seed}"


def _both(first: str, second: str) -> str:
    return first if first == second else f"{first} and {second}"


def _listed(given: Iterable[ScoreRecord | Path]) -> str:
    """The start of a message on all files. Empty if there are only records from memory."""
    files = dict.fromkeys(str(each) for each in given if isinstance(each, Path))
    return f"{' and '.join(files)}: " if files else ""
