"""A match file: both families' search spaces, the effort per family, and the rule of selection."""

import hashlib
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from ganvae.config import Section, Seed
from ganvae.config.section import PATH
from ganvae.models.registry import system_class, system_names
from ganvae.scores.matches import FAMILIES, Family
from ganvae.scores.selection import BEST, Rule
from ganvae.sweeps.space import Number


class MatchRange(Section):
    """The values to draw for one parameter: between ``low`` and ``high``, or one of ``choices``.

    If both bounds are whole numbers, all values are whole numbers. ``log`` spaces the values evenly
    on a log scale. With ``or_off``, half of the draws are null: the parameter keeps its default.
    ``only`` names other parameters with lists of values. The parameter is drawn only if each of
    these has one of its values. Otherwise, the parameter keeps its default.
    """

    low: Number | None = None
    high: Number | None = None
    log: bool = False
    choices: list[bool | int | float | str | list[int] | None] | None = None
    or_off: bool = False
    only: dict[str, list[bool | int | float | str | None]] = Field({})

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.choices is not None:
            if not self.choices or self.low is not None or self.high is not None or self.log:
                raise ValueError(
                    "choices must have at least one value, and cannot be combined with low, high "
                    "or log"
                )
        elif self.low is None or self.high is None:
            raise ValueError("low or high is missing. Give both low and high, or give choices")
        elif self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("low must be less than high. If log is true, low must also be above 0")
        return self

    @property
    def single(self) -> bool:
        """Whether every draw has the same value."""
        return self.choices is not None and len(self.choices) == 1 and not self.or_off

    def allows(self, value: Any) -> bool:
        """Return whether a draw can have this value."""
        if value is None and self.or_off:
            return True
        if self.choices is not None:
            return value in self.choices
        assert self.low is not None
        assert self.high is not None
        return isinstance(value, int | float) and self.low <= value <= self.high


class FamilySpace(Section):
    """The search space of one family.

    ``systems`` maps each system that can be drawn to its own ranges. Each is drawn with equal
    probability, but see `Match` on invalid configurations. ``parameters`` has the ranges of all
    systems. ``fixed`` has values that are not searched, by system and dotted name.
    """

    systems: dict[str, dict[str, MatchRange]] = Field(min_length=1)
    parameters: dict[str, MatchRange] = Field({})
    fixed: dict[str, dict[str, Any]] = Field({})

    def ranges(self, system: str) -> dict[str, MatchRange]:
        """Return the ranges of a system, by the parameter's dotted name."""
        return self.parameters | self.systems[system]

    @property
    def switches(self) -> int:
        """The number of parameters that the search can change, the choice of the system included.

        Parameters of the same name in several systems count once. A range with a single choice
        does not count.
        """
        spaces = (self.parameters, *self.systems.values())
        names = {name for space in spaces for name, each in space.items() if not each.single}
        return len(names) + (len(self.systems) > 1)


class Selection(Section):
    """The rule of selection. The ``best`` trials of each family are trained again from ``seeds``.

    The finalist is the trial with the lowest mean FID on the validation split over these seeds.
    """

    best: PositiveInt = BEST
    seeds: list[Seed] = Field(min_length=1)


class Why(Section):
    """How the finalists are changed, to find out what they owe to each choice.

    Each changed finalist is trained from all ``seeds`` and scored on the validation split.
    ``ablate`` lists parameters that are set back to their defaults, one at a time. ``budgets`` are
    factors on the number of training steps. ``split_seeds`` divide training and validation images
    in other ways. The judges stay as they are, so they know some of these validation images from
    their own training.
    """

    seeds: list[Seed] = Field(min_length=2)
    ablate: dict[Family, list[str]]
    budgets: list[PositiveFloat] = Field([0.5, 2.0])
    split_seeds: list[Seed] = Field([1, 2, 3])

    @model_validator(mode="after")
    def _names_each_change_once(self) -> Self:
        lists: dict[str, list[Any]] = {name: getattr(self, name) for name in _CHANGES}
        lists |= {f"ablate.{family}": names for family, names in self.ablate.items()}
        for name, values in lists.items():
            if len({*values}) < len(values):
                raise ValueError(f"{name} has the same entry twice")
        return self


_CHANGES = ("seeds", "budgets", "split_seeds")


class Match(Section):
    """The content of a match file.

    ``params`` is the profile's params.yaml. ``trials`` is the number of trials per family. Each
    trial trains for ``seconds`` CPU-seconds from ``seed``. What is fitted for sampling counts as
    training. ``n_generated`` samples are scored on the validation split. ``draws`` is the seed of
    the configurations. ``redraw`` says what is drawn again if a configuration is invalid: its
    ``parameters``, or the whole ``configuration``. Then systems with many invalid configurations
    get fewer trials. With ``rotate_systems``, the trials of a family take its systems in turns.
    Otherwise, the system of each trial is drawn. Each finalist is trained for the test split from
    ``finalist_seeds``. With ``why``, the finalists are also trained with changes, for the
    validation split.

    A match file may have ``extends: NAME``. It then has all values of match NAME, except
    for the values that it gives itself.
    """

    description: str
    params: str = Field(pattern=PATH)
    trials: PositiveInt
    seconds: PositiveFloat
    seed: Seed
    draws: NonNegativeInt = 0
    redraw: Literal["parameters", "configuration"] = Field(
        "configuration",
        # Checksums of older matches must not change.
        exclude_if=lambda redraw: redraw == "configuration",
    )
    rotate_systems: bool = Field(False, exclude_if=lambda rotate: not rotate)  # for checksums, too
    n_generated: PositiveInt = 5000
    selection: Selection
    finalist_seeds: list[Seed] = Field(min_length=2)
    why: Why | None = None
    families: dict[Family, FamilySpace]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if {*self.families} != {*FAMILIES}:
            raise ValueError("families must have exactly the two entries gan and vae")
        for family, space in self.families.items():
            for system in [*space.systems, *space.fixed]:
                if system not in system_names():
                    raise ValueError(f"families.{family} names {system}, which is no known system")
                if system_class(system).family != family:
                    raise ValueError(f"families.{family} names {system}, which is no {family}")
        if self.selection.best > self.trials:
            raise ValueError(
                f"selection.best is {self.selection.best}, but there are only {self.trials} trials"
            )
        if self.rotate_systems and self.redraw == "configuration":
            raise ValueError(
                "rotate_systems is true, but redraw is configuration, which draws another system. "
                "Set redraw to parameters"
            )
        seeds = [self.seed, *self.selection.seeds, *self.finalist_seeds]
        seeds += self.why.seeds if self.why else []
        if len({*seeds}) < len(seeds):
            raise ValueError(
                "seed, selection.seeds, finalist_seeds and why.seeds share a seed, but each must "
                "be fresh"
            )
        for family, names in (self.why.ablate if self.why else {}).items():
            space = self.families[family]
            known = {name for system in space.systems for name in space.ranges(system)}
            if unknown := sorted({*names} - known):
                raise ValueError(f"why.ablate.{family} names {unknown[0]}, which is not searched")
        return self

    @property
    def rule(self) -> Rule:
        """The rule by which the finalists are selected."""
        return Rule(self.trials, self.selection.best, self.selection.seeds)

    @property
    def sha256(self) -> str:
        """The checksum of the content. Comments and layout of the file do not change it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
