"""What a sweep searches: a YAML file in `sweeps/`, applied to one model of a profile."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from ganvae.config import ModelConfig, Section, flat, parse, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.models.registry import system_config
from ganvae.scores.studies import Objective

SPACES = Path("sweeps")
Number = int | float


class Range(Section):
    """The values of one parameter: from ``low`` to ``high``, or one of ``choices``.

    Whole numbers if both bounds are, else real ones; ``log`` spaces them evenly on a log scale.
    With ``or_off`` the parameter may also be null, which turns off what it controls.
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
                raise ValueError("choices: give one or more, and neither bounds nor log nor or_off")
        elif self.low is None or self.high is None:
            raise ValueError("give low and high, or choices")
        elif self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("low must be less than high, and above 0 if log")
        return self

    @property
    def bounds(self) -> tuple[Number, Number]:
        """``low`` and ``high`` of a range that has them."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    @property
    def whole(self) -> bool:
        """Whether all its values are whole numbers."""
        return all(isinstance(bound, int) for bound in self.bounds)

    def allows(self, value: Any) -> bool:
        """Whether a trial may have this value."""
        if self.choices is not None:
            return value in self.choices
        if value is None:
            return self.or_off
        low, high = self.bounds
        return isinstance(value, int if self.whole else Number) and low <= value <= high

    def ends(self) -> list[Any]:
        """The values that bound the range: if the model takes these it takes those between."""
        if self.choices is not None:
            return list(self.choices)
        return [*self.bounds, *([None] if self.or_off else [])]


class PrunerConfig(Section):
    """When a trial is given up.

    ``by: curve``: ``median`` (worse than half of the trials completed before it) or ``hyperband``
    (1603.06560) look at FID at ``checks``, shares of the first seed's schedule. ``by: seed``:
    ``wilcoxon`` looks at FID after each seed, and gives up where a signed-rank test finds the trial
    worse than the best one at level ``p``. The first ``startup_trials`` are never given up by
    ``median``.
    """

    by: Literal["curve", "seed"]
    name: Literal["median", "hyperband", "wilcoxon"]
    checks: list[float] = Field([])
    startup_trials: NonNegativeInt = 5
    p: float = Field(0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _kind_and_checks(self) -> Self:
        if (self.by == "seed") != (self.name == "wilcoxon"):
            raise ValueError("by curve go median and hyperband, by seed wilcoxon")
        ascending = sorted(set(self.checks)) == self.checks
        if self.by == "curve" and not (
            self.checks and ascending and self.checks[0] > 0 and self.checks[-1] < 1
        ):
            raise ValueError("checks: give shares of the schedule between 0 and 1, ascending")
        return self


class Sweep(Section):
    """A file of `sweeps/`.

    ``models`` names the systems it is for, each with further ``parameters`` of its own. A trial's
    value is FID on validation, the mean over ``seeds``, of ``n_generated`` samples each; a second
    objective ``train_seconds`` makes the sweep look for the Pareto front. ``trials`` is how many
    are wanted, pruned ones included. ``budget: updates`` shortens or lengthens the schedule
    so that D and G together have as many turns as by the model's own parameters, whatever the
    trial's d_steps and g_steps; a turn that the balance rule lets one of them sit out counts.
    """

    description: str
    objectives: list[Objective] = Field(["fid_judge"])
    seeds: list[NonNegativeInt] = Field(min_length=1)
    n_generated: PositiveInt = 5000
    trials: PositiveInt = 40
    budget: Literal["steps", "updates"] = "steps"
    pruner: PrunerConfig | None = None
    parameters: dict[str, Range] = Field({})
    systems: dict[str, dict[str, Range]] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.objectives[:1] != ["fid_judge"] or len(set(self.objectives)) < len(self.objectives):
            raise ValueError("objectives: fid_judge comes first, each is named once")
        if self.pruner and len(self.objectives) > 1:
            raise ValueError("pruner: trials of two objectives cannot be pruned")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: each must be there once")
        if self.pruner and self.pruner.by == "seed" and self._least_p() >= self.pruner.p:
            raise ValueError(
                f"pruner.p = {self.pruner.p}: of {len(self.seeds)} seeds no test before the last "
                f"gives less than {self._least_p():g}: give more seeds or a higher p"
            )
        return self

    def _least_p(self) -> float:
        """The least p of a one-sided signed-rank test of all seeds but the last."""
        return float(0.5 ** (len(self.seeds) - 1))

    def ranges(self, system: str, where: str = "this sweep") -> dict[str, Range]:
        """What is searched of a system, by dotted name.

        Args:
            where: what the error calls the sweep.

        Raises:
            ConfigError: the sweep is not for it.
        """
        if system not in self.systems:
            raise ConfigError(f"{where} is for {', '.join(self.systems)}, not for {system}.")
        return self.parameters | self.systems[system]


def read_sweep(space: str) -> Sweep:
    """Read a sweep by its name in `sweeps/`, or from a YAML file.

    Raises:
        ConfigError: no such sweep, or a fault in it.
    """
    path = Path(space) if space.endswith((".yaml", ".yml")) else SPACES / f"{space}.yaml"
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in SPACES.glob("*.yaml"))) or "none"
        raise ConfigError(f"no sweep {space!r} ({path}); in {SPACES}/ there are: {there}.")
    return parse(Sweep, read_yaml(path), str(path))


def check_ranges(
    ranges: Mapping[str, Range], system: str, base: Mapping[str, Any], *, updates: bool = False
) -> None:
    """See that the model has every parameter and takes the ends of its range.

    Args:
        updates: as in `applied`.

    Raises:
        ConfigError: an unknown parameter, or a value that the model does not allow, or no way to
            count updates.
    """
    known = dict(flat(system_config(system, base).model_dump()))
    for name, range_ in ranges.items():
        if name not in known:
            raise ConfigError(
                f"parameters.{name}: {system} has no such parameter; it has: {', '.join(known)}"
            )
        for value in range_.ends():
            applied(system, base, {name: value}, updates=updates)


def applied(
    system: str, base: Mapping[str, Any], parameters: Mapping[str, Any], *, updates: bool = False
) -> ModelConfig:
    """A model's section with some parameters replaced, by dotted name.

    Args:
        base: the section as it stands in params.yaml.
        updates: fit the schedule to the base's number of updates of D and G.

    Raises:
        ConfigError: the model does not allow a value.
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
    """Scale a schedule in steps, with its cadences, by the updates that a step takes."""
    share = _updates(before) / _updates(values)
    schedule = values["schedule"]
    if schedule["unit"] != "steps":
        raise ConfigError("budget: updates needs a schedule in steps; this model's is in epochs.")
    for name in ("length", "report_every", "sample_every", "checkpoint_every"):
        schedule[name] = max(1, round(schedule[name] * share))
    schedule["marks"] = [round(mark * share) for mark in schedule["marks"]]


def _updates(values: Mapping[str, Any]) -> int:
    """Of D and G in one training step."""
    if "balance" not in values:
        raise ConfigError("budget: updates is for models with a discriminator.")
    return int(values["balance"]["d_steps"] + values["balance"]["g_steps"])


def current_values(
    ranges: Mapping[str, Range], system: str, base: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """The model's present values of what is searched, by dotted name."""
    values = dict(flat(system_config(system, base).model_dump()))
    for name in ranges:
        yield name, values[name]
