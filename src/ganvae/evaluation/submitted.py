"""`ganvae submit`: samples or score records from elsewhere, as rows of a profile's leaderboard."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ganvae.config import Params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import write_json
from ganvae.core.lock import LOCKS, in_turn
from ganvae.core.paths import ProfilePaths
from ganvae.data.samples import read_samples
from ganvae.data.store import read_split
from ganvae.evaluation.runs import make_evaluator
from ganvae.evaluation.scoring import Family, check_model, score_samples
from ganvae.scores.collected import collect_submitted
from ganvae.scores.rankable import check_rankable, protocol_changes
from ganvae.scores.records import ScoreRecord, as_score_record, read_given, read_records

Report = Callable[[str], None]


def submit_samples(
    params: Params,
    samples: Path,
    *,
    model: str,
    family: Family,
    seed: int,
    report: Report = print,
) -> tuple[Path, ScoreRecord]:
    """Score samples as the runs of a profile are scored, and keep the record for its pages.

    Args:
        samples: a file or folder that `read_samples` reads.
        model, family, seed: name, family and training seed of the samples' model.

    Returns:
        The path of the record, and the record.

    Raises:
        UserError: the name is taken, the samples are not readable or do not fit the profile's
            images, or the profile's reference was not computed yet.
    """
    path = _place(params, model, seed)
    if not ProfilePaths(params.profile).reference.exists():
        raise UserError(
            f"the profile {params.profile} has no features of real images yet. Run `ganvae repro "
            f"{Path(params.file).parent}` in {Path.cwd()} first."
        )
    evaluator = make_evaluator(params)
    images = read_split(ProfilePaths(params.profile).split("test")).images
    given = read_samples(samples, evaluator.judge.image_shape)
    record = score_samples(
        given.images,
        replace(evaluator, images=images),
        model=model,
        family=family,
        seed=seed,
        report=report,
    )
    record = record.model_copy(update={"remarks": list(given.remarks)})
    return _kept(params, path, record)


def submit_record(
    params: Params,
    file: Path,
    *,
    model: str | None = None,
    family: Family | None = None,
    seed: int | None = None,
) -> tuple[Path, ScoreRecord]:
    """Keep a score record that `ganvae score --json` wrote, for the pages of a profile.

    Args:
        model, family, seed: values that replace those of the record. The provenance keeps the seed
            that the random draws of the scores derive from.

    Returns:
        The path of the kept record, and the record.

    Raises:
        UserError: the name is taken, the file holds no score record, or the record was measured in
            another way than the records of the profile.
    """
    given = {"variant": model, "family": family, "seed": seed}
    changes = {field: value for field, value in given.items() if value is not None}
    record = as_score_record(read_given(file), file).model_copy(update=changes)
    path = _place(params, record.variant, record.seed)
    baselines = read_records(_baselines(params))
    if differences := protocol_changes(record.provenance, baselines[0].provenance):
        raise UserError(
            f"{file} was measured in another way than the profile {params.profile}: "
            f"{', '.join(differences)}. Submit the samples instead."
        )
    if record.provenance.weights_sha256 is not None:
        raise UserError(
            f"{file} is the record of a training run of this program. Train the variant in this "
            "profile instead."
        )
    return _kept(params, path, record)


def _kept(params: Params, path: Path, record: ScoreRecord) -> tuple[Path, ScoreRecord]:
    """Write a record, if it fits the baselines and the earlier submissions.

    Raises:
        UserError: the same name or the same samples were submitted before, the model has another
            family there, or the record cannot be ranked with the others.
    """
    busy = f"Another submission to {params.profile} is being written. This command waits for it."
    with in_turn(LOCKS / f"submitted-{params.profile}.lock", busy):
        _check_new(path)  # again, because scoring takes minutes
        _check_fits(params, record)
        write_json(path, record.model_dump())
    return path, record


def _check_fits(params: Params, record: ScoreRecord) -> None:
    submitted = collect_submitted(params)
    for earlier in submitted:
        name = f"{earlier.variant}, seed {earlier.seed}"
        if earlier.samples_sha256 == record.samples_sha256 is not None:
            raise UserError(f"the same samples were submitted before, as {name}.")
        if earlier.variant == record.variant and earlier.family != record.family:
            raise UserError(
                f"the family of {record.variant} is {record.family}, but that of {name} is "
                f"{earlier.family}. Give --family {earlier.family}, or another --model."
            )
    baselines = read_records(_baselines(params)) if _baselines(params).exists() else []
    together = [*baselines, *submitted, record]
    check_rankable([(f"{r.variant}, seed {r.seed}", r) for r in together if not r.flags])


def _baselines(params: Params) -> Path:
    return ProfilePaths(params.profile).baselines / "scores.json"


def _place(params: Params, model: str, seed: int) -> Path:
    """Return the path of a submitted record.

    Raises:
        ConfigError: the name is not printable, is a variant's or a baseline's, or cannot be a name
            of a file.
        UserError: this model and seed were submitted before.
    """
    check_model(model)
    if model in params.variants:
        raise ConfigError(f"{model!r} is a variant of {params.file}. Give another --model.")
    if "/" in model or model.startswith("."):
        raise ConfigError(f"--model {model!r} cannot be the name of a file. Give another name.")
    path = ProfilePaths(params.profile).submitted / f"{model}-{seed}.json"
    _check_new(path)
    return path


def _check_new(path: Path) -> None:
    if path.exists():
        raise UserError(
            f"{path} exists already. Give another --seed or --model, or delete this file."
        )
