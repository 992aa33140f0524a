"""Load what all training runs of a match share: data, judges, and the tokens of the code."""

from pathlib import Path

import torch

from ganvae.config import load_params
from ganvae.core import compute
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import sha256
from ganvae.core.paths import ProfilePaths
from ganvae.core.processor import processor
from ganvae.core.tokens import current_token, is_current
from ganvae.data.store import read_split
from ganvae.evaluation.second_judge import second_judge
from ganvae.evaluation.validation import read_validation
from ganvae.judge.network import FrozenJudge
from ganvae.matches.measuring import SecondView
from ganvae.matches.spec import Match
from ganvae.matches.trial import EVALUATION, Arena, training_token
from ganvae.sweeps.study import check_prepared


def tokens(match: Match) -> dict[str, str | None]:
    """Return the tokens of the current code's behaviour that decide the records of a match.

    Raises:
        UserError: the behaviour of the current code has not been measured.
    """
    if not is_current(Path()):
        raise UserError(
            "the code has changed since its behaviour was measured, so a match can neither record "
            "nor check which code it used. Run `dvc repro behaviour/dvc.yaml` first."
        )
    systems = [system for space in match.families.values() for system in space.systems]
    names = [*map(training_token, systems), EVALUATION]
    return {name: current_token(Path(), name) for name in names}


def enter(name: str, match: Match) -> Arena:
    """Load what the training runs of a match share, and set the number of threads.

    Raises:
        ConfigError: ``why`` divides the images as the profile does.
        UserError: the data are not prepared, or the code's behaviour has not been measured.
    """
    params = load_params(Path(match.params))
    if match.why and params.data.split_seed in match.why.split_seeds:
        raise ConfigError(
            f"match {name}: why.split_seeds has {params.data.split_seed}, the data.split_seed of "
            f"{match.params}. Give other seeds."
        )
    check_prepared(params)
    behaviour = tokens(match)
    paths = ProfilePaths(params.profile)
    machine = compute.use_to_train(params.compute)
    judge = FrozenJudge(Path(params.judge), machine.device)
    validation = read_validation(paths.validation_features, judge)
    validation.check_enough(match.n_generated)
    split = read_split(paths.split("train"))
    second = second_judge(params.evaluation, machine.device)
    held_out = read_split(paths.split("validation")).images
    return Arena(
        name=name,
        match=match,
        images=split.images,
        train_sha256=sha256(paths.split("train")),
        validation=validation,
        machine=machine,
        processor=processor(torch.get_num_threads()),
        tokens=behaviour,
        profile=params.profile,
        dataset=split.dataset,
        second=SecondView.of(second, held_out) if second else None,
    )
