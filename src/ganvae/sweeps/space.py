"""Define the search space of a sweep: a YAML file in `sweeps/`, applied to a profile's variant."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from ganvae.config import ModelConfig, Section, Seed, flat, parse, read_yaml
from ganvae.core import assets
from ganvae.core.errors import ConfigError
from ganvae.models.registry import system_config
from ganvae.scores.studies import Objective

SPACES = Path("sweeps")
Number = int | float


class Range(Section):
    """The values to search for one parameter: from ``low`` to ``high``, or one of ``choices``.

    If both bounds are whole numbers, all values are whole numbers. ``log`` spaces the values evenly
    on a log scale. With ``or_off`` the parameter may also be null, which turns its effect off.
    """

    low: Number | None = None
    high: Number | None = None
    log: bool = False
    choices: list[bool | int | float | str | None] | None = None
    or_off: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        bounds = (self.low, self.high)
        if self.choices is not None:
            if not self.choices or bounds != (None, None) or self.log or self.or_off:
                raise ValueError(
                    "choices must have at least one value, and cannot be combined with low, high, "
                    "log or or_off"
                )
        elif self.low is None or self.high is None:
            raise ValueError("low or high is missing. Give both low and high, or give choices")
        elif self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("low must be less than high. If log is true, low must also be above 0")
        return self

    @property
    def bounds(self) -> tuple[Number, Number]:
        """The pair ``low`` and ``high`` of a range without choices."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    @property
    def whole(self) -> bool:
        """True if all values of a range with bounds are whole numbers."""
        return all(isinstance(bound, int) for bound in self.bounds)

    def allows(self, value: Any) -> bool:
        """Return whether a trial may have this value."""
        if self.choices is not None:
            return value in self.choices
        if value is None:
            return self.or_off
        low, high = self.bounds
        return isinstance(value, int if self.whole else Number) and low <= value <= high

    def ends(self) -> list[Any]:
        """Return the ends of the range, or all of its choices.

        A system that accepts these values accepts all values of the range.
        """
        if self.choices is not None:
            return list(self.choices)
        return [*self.bounds, *([None] if self.or_off else [])]


class PrunerConfig(Section):
    """The rule by which trials are pruned, that is, given up early.

    With ``by: curve``, the pruner reads FID at ``checks``, given as shares of the first seed's
    schedule. ``median`` prunes a trial whose FID is worse than the median of the earlier
    completed trials, but prunes none of the first ``startup_trials`` trials. ``hyperband`` is
    described in arXiv 1603.06560.

    With ``by: seed``, the pruner reads FID after each seed. ``wilcoxon`` prunes a trial if a
    signed-rank test finds the trial worse than the best trial at level ``p``.
    """

    by: Literal["curve", "seed"]
    name: Literal["median", "hyperband", "wilcoxon"]
    checks: list[float] = Field([])
    startup_trials: NonNegativeInt = 5
    p: float = Field(0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _kind_and_checks(self) -> Self:
        if (self.by == "seed") != (self.name == "wilcoxon"):
            raise ValueError(
                "the pruners median and hyperband need `by: curve`, and wilcoxon needs `by: seed`"
            )
        ascending = sorted(set(self.checks)) == self.checks
        if self.by == "curve" and not (
            self.checks and ascending and self.checks[0] > 0 and self.checks[-1] < 1
        ):
            raise ValueError(
                "checks must be shares of the schedule between 0 and 1, in ascending order"
            )
        return self


class Sweep(Section):
    """The content of a file in `sweeps/`.

    ``systems`` lists the systems that the sweep can search. Each system may add ranges to
    ``parameters``. A trial's value is FID on the validation split, from ``n_generated`` samples per
    seed, as the mean over ``seeds``. With the second objective ``train_seconds``, the sweep
    searches for the Pareto front. ``trials`` is the number of trials, including pruned trials.

    Within a training step, the discriminator D has d_steps updates, and the generator G has g_steps
    updates. ``budget: steps`` keeps the variant's number of training steps. ``budget: updates``
    scales the schedule so that every trial has as many updates as the variant's own parameters
    give. An update that the balance rule skips counts as well.
    """

    description: str
    objectives: list[Objective] = Field(["fid_judge"])
    seeds: list[Seed] = Field(min_length=1)
    n_generated: PositiveInt = 5000
    trials: PositiveInt = 40
    budget: Literal["steps", "updates"] = "steps"
    pruner: PrunerConfig | None = None
    parameters: dict[str, Range] = Field({})
    systems: dict[str, dict[str, Range]] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.objectives[:1] != ["fid_judge"] or len(set(self.objectives)) < len(self.objectives):
            raise ValueError(
                "objectives must begin with fid_judge, and no objective may be repeated"
            )
        if self.pruner and len(self.objectives) > 1:
            raise ValueError("a sweep with two objectives cannot have a pruner. Set pruner to null")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: no seed may be repeated")
        if self.pruner and self.pruner.by == "seed" and self._least_p() >= self.pruner.p:
            raise ValueError(
                f"pruner.p is {self.pruner.p}, but with {len(self.seeds)} seeds no test before the "
                f"last seed has a p-value below {self._least_p():g}. Give more seeds, or give a "
                "higher p"
            )
        return self

    def _least_p(self) -> float:
        """Return the smallest p-value of a one-sided signed-rank test of all seeds but the last."""
        return float(0.5 ** (len(self.seeds) - 1))

    def ranges(self, system: str, where: str = "this sweep") -> dict[str, Range]:
        """Return the ranges to search for a system, by the parameter's dotted name.

        Args:
            where: the sweep's name in the error message.

        Raises:
            ConfigError: the sweep does not name the system.
        """
        if system not in self.systems:
            known = ", ".join(self.systems)
            raise ConfigError(
                f"{where} has no ranges for system {system}. Choose a variant of one of these "
                f"systems: {known}."
            )
        return self.parameters | self.systems[system]


def read_sweep(space: str) -> Sweep:
    """Read a sweep by its name, or from a YAML file.

    A name is searched in the folder `sweeps/` of the working folder, and then in the program's.

    Raises:
        ConfigError: the sweep does not exist, or is invalid.
    """
    folders = (SPACES, assets.ROOT / SPACES)
    named = [folder / f"{space}.yaml" for folder in folders]
    paths = [Path(space)] if space.endswith((".yaml", ".yml")) else named
    for path in paths:
        if path.exists():
            return parse(Sweep, read_yaml(path), str(path))
    known = ", ".join(sorted({file.stem for folder in folders for file in folder.glob("*.yaml")}))
    raise ConfigError(
        f"there is no search space {space!r} ({paths[0]}). Search spaces: {known or 'none'}. Or "
        "give the path of a YAML file."
    )


def check_ranges(
    ranges: Mapping[str, Range], system: str, base: Mapping[str, Any], *, updates: bool = False
) -> None:
    """Check that the system has every parameter, and accepts the ends of the parameter's range.

    Args:
        ranges: the ranges by the parameter's dotted name.
        base: the variant's section in params.yaml.
        updates: whether the sweep has ``budget: updates``.

    Raises:
        ConfigError: the system has no such parameter or rejects a value, or updates cannot be
            counted.
    """
    known = dict(flat(system_config(system, base).model_dump()))
    for name, range_ in ranges.items():
        if name not in known:
            raise ConfigError(
                f"parameters.{name}: system {system} has no such parameter. Parameters of this "
                f"system: {', '.join(known)}."
            )
        for value in range_.ends():
            applied(system, base, {name: value}, updates=updates)


def applied(
    system: str, base: Mapping[str, Any], parameters: Mapping[str, Any], *, updates: bool = False
) -> ModelConfig:
    """Return a variant's configuration with some parameters replaced.

    Args:
        base: the variant's section in params.yaml.
        parameters: the new values by the parameter's dotted name.
        updates: whether to scale the schedule to as many updates of D and G as ``base`` gives.

    Raises:
        ConfigError: the system rejects a value, or updates cannot be counted.
    """
    before = system_config(system, base).model_dump()
    values = system_config(system, base).model_dump()
    for name, value in parameters.items():
        *sections, last = name.split(".")
        section = values
        for part in sections:
            section = section[part]
        section[last] = value
    if updates:
        _hold_updates(values, before)
    return system_config(system, values, f"variants.{system}")


def _hold_updates(values: dict[str, Any], before: Mapping[str, Any]) -> None:
    """Scale a schedule in steps, and its intervals, so that the number of updates stays.

    Args:
        values: the new configuration, whose schedule is changed in place.
        before: the variant's own configuration, which gives the number of updates.

    Raises:
        ConfigError: the schedule is in epochs, or the system has no discriminator.
    """
    share = _updates(before) / _updates(values)
    schedule = values["schedule"]
    if schedule["unit"] != "steps":
        raise ConfigError(
            "`budget: updates` needs a schedule in steps, but the schedule of this variant is in "
            "epochs. Use `budget: steps`, or choose another variant."
        )
    for name in ("length", "report_every", "sample_every", "checkpoint_every"):
        schedule[name] = max(1, round(schedule[name] * share))
    schedule["marks"] = [round(mark * share) for mark in schedule["marks"]]


def _updates(values: Mapping[str, Any]) -> int:
    """Return the number of updates of D and G in one training step.

    Raises:
        ConfigError: the system has no discriminator.
    """
    if "balance" not in values:
        raise ConfigError(
            "`budget: updates` needs a system with a discriminator, but the system of this variant "
            "has none. Use `budget: steps`, or choose another variant."
        )
    return int(values["balance"]["d_steps"] + values["balance"]["g_steps"])


def current_values(
    ranges: Mapping[str, Range], system: str, base: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the variant's current value of each searched parameter."""
    values = dict(flat(system_config(system, base).model_dump()))
    for name in ranges:
        yield name, values[name]
