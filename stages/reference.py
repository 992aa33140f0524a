"""Embed the splits with the judge, and measure how far test and training images are apart."""

from pathlib import Path

from ganvae import compute
from ganvae.config import load_params
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.reference import make_reference, write_reference
from ganvae.evaluation.training_set import make_training_set, write_features
from ganvae.evaluation.validation import write_validation
from ganvae.judge.network import FrozenJudge
from ganvae.paths import ProfilePaths
from ganvae.stage import run_stage


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    paths = ProfilePaths(params.profile)
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    settings = params.evaluation.inception
    inception = Inception(settings, judge.device) if settings else None
    train = make_training_set(paths.split("train"), judge)
    write_features(paths.train_features, train, judge)
    write_validation(paths.validation_features, paths.split("validation"), judge)
    write_reference(paths.reference, make_reference(paths.split("test"), train, judge, inception))


if __name__ == "__main__":
    run_stage(main, __doc__)
