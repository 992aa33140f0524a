"""Compute the judges' features of all splits and the distances from test to training images.

Also write the measuring file, which has all settings and checksums that evaluations depend on.
"""

from pathlib import Path

from ganvae.config import Params, load_params
from ganvae.core import compute
from ganvae.core.errors import ConfigError
from ganvae.core.paths import ProfilePaths
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.measuring import write_measuring
from ganvae.evaluation.reference import make_reference, write_reference
from ganvae.evaluation.second_judge import second_judge
from ganvae.evaluation.training_set import make_training_set, write_features
from ganvae.evaluation.validation import write_validation
from ganvae.judge.network import FrozenJudge
from ganvae.pipeline.stage import run_stage


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    paths = ProfilePaths(params.profile)
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    check_people(judge, params)
    settings = params.evaluation.inception
    inception = Inception(settings, judge.device) if settings else None
    train = make_training_set(paths.split("train"), judge)
    write_features(paths.train_features, train, judge)
    write_validation(paths.validation_features, paths.split("validation"), judge)
    reference = make_reference(
        paths.split("test"),
        train,
        judge,
        params.evaluation,
        inception=inception,
        unlabelled=second_judge(params.evaluation, judge.device),
    )
    write_reference(paths.reference, reference)
    write_measuring(params)


def check_people(judge: FrozenJudge, params: Params) -> None:
    """Check that a judge of identities was not trained on people of the test split.

    Raises:
        ConfigError: the judge was trained on splits that differ from the splits of the profile.
    """
    if judge.kind != "identities":
        return
    data = params.data.model_dump()
    for key in ("dataset", "validation_size", "test_size", "split_seed"):
        required = judge.card["data"][key]
        if data[key] != required:
            raise ConfigError(
                f"{params.file}: data.{key} is {data[key]}, but the judge {params.judge} was "
                f"trained with {key}: {required}. So the judge was trained on some people who are "
                f"in the test split of this profile. Set data.{key} to {required}, or train "
                "another judge with the data of this profile."
            )


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)
