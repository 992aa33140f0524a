"""The options of jobs: without jobs they are refused, not ignored."""

import pytest

from ganvae import cli
from ganvae.core.errors import UserError
from ganvae.pipeline.queues import Resources

OPTIONS = (("--partition", "long"), ("--time", "5"), ("--cpus", "2"), ("--gpus", "0"))
WORKER = ("sweep", "worker", "--study", "x")


@pytest.mark.parametrize(
    "arguments",
    [
        *(("repro", *option) for option in OPTIONS),
        *((*WORKER, *option) for option in (*OPTIONS, ("--jobs", "1"))),
    ],
    ids=" ".join,
)
def test_an_option_of_jobs_is_refused_without_jobs(arguments: tuple[str, ...]) -> None:
    name = arguments[-2]
    with pytest.raises(UserError, match=f"^{name} has no effect without --on"):
        cli.commands(list(arguments), standalone_mode=False)


@pytest.mark.parametrize("option", ["--partition", "--cpus", "--gpus"])
def test_an_option_of_slurm_is_refused_for_this_machine(option: str) -> None:
    with pytest.raises(UserError, match=f"^{option} has no effect with --on local"):
        cli.commands(["repro", "--on", "local", option, "1"], standalone_mode=False)


def test_printed_jobs_are_not_submitted() -> None:
    with pytest.raises(UserError, match="--print-jobs and --on exclude each other"):
        cli.commands(["repro", "--print-jobs", "--on", "local"], standalone_mode=False)


def test_printed_jobs_are_not_performed_at_once() -> None:
    with pytest.raises(UserError, match=r"^--jobs has no effect with --print-jobs"):
        cli.commands(["repro", "--print-jobs", "--jobs", "3"], standalone_mode=False)


def test_an_option_that_is_not_given_has_its_default() -> None:
    assert Resources.of(None, None, None, None) == Resources()
    assert Resources.of("long", 5, 2, 1) == Resources("long", 5, 2, 1)
