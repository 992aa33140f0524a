"""Draw the configurations of a match. Each is a pure function of the match and its number."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvae.config import ModelConfig
from ganvae.core.errors import ConfigError
from ganvae.matches.spec import FamilySpace, Match, MatchRange
from ganvae.models.base import ImageShape
from ganvae.models.registry import shapes
from ganvae.scores.matches import Family, Value
from ganvae.sweeps.space import applied

MOST_REDRAWS = 1000


@dataclass(frozen=True)
class Drawn:
    """A configuration that a system accepts, and the number of draws that systems rejected."""

    system: str
    parameters: dict[str, Value]
    config: ModelConfig
    redraws: int


def draw(match: Match, family: Family, number: int, shape: ImageShape) -> Drawn:
    """Draw configuration ``number`` of a family.

    Some combinations of parameters are invalid. Then other parameters are drawn. If
    ``match.redraw`` says so, the system is drawn again too. With ``match.rotate_systems``, the
    system follows from the number.

    Args:
        number: the number of the trial, from 0.
        shape: the shape of the images, C x H x W. Some systems cannot draw some shapes.

    Raises:
        ConfigError: no draw of many was valid.
    """
    space = match.families[family]
    entropy = [match.draws, zlib.crc32(family.encode()), number]
    random = np.random.default_rng(np.random.SeedSequence(entropy))
    error: ConfigError | None = None
    systems = list(space.systems)
    rotated = systems[number % len(systems)] if match.rotate_systems else None
    system = rotated or _system(space, random)
    for redraws in range(MOST_REDRAWS):
        if redraws and match.redraw == "configuration":
            system = _system(space, random)
        parameters = _parameters(space, system, random)
        try:
            config = configured(space, system, parameters)
            shapes(system, config, shape)
        except ConfigError as rejected:
            error = rejected
        else:
            return Drawn(system, parameters, config, redraws)
    raise ConfigError(
        f"families.{family}: {MOST_REDRAWS} draws gave no valid configuration. Narrow the ranges. "
        f"The last fault: {error}"
    )


def chosen(
    match: Match,
    family: Family,
    system: str,
    parameters: Mapping[str, Value],
    shape: ImageShape,
) -> Drawn:
    """Return a configuration that was chosen by hand. The match must be able to draw it.

    Args:
        parameters: all parameters that are drawn. A missing parameter counts as null.

    Raises:
        ConfigError: the configuration lies outside the search space, or is invalid.
    """
    space = match.families[family]
    if system not in space.systems:
        raise ConfigError(f"families.{family} has no system {system}.")
    ranges = space.ranges(system)
    for name in [*ranges, *parameters]:
        value, values = parameters.get(name), ranges.get(name)
        drawn = values is not None and _applies(values, parameters)
        if not (values.allows(value) if values and drawn else value is None):
            raise ConfigError(f"families.{family}: {system} with {name} {value} cannot be drawn.")
    config = configured(space, system, parameters)
    shapes(system, config, shape)
    return Drawn(system, dict(parameters), config, redraws=0)


def configured(space: FamilySpace, system: str, parameters: Mapping[str, Value]) -> ModelConfig:
    """Return a system's configuration with these parameters. Null parameters keep their defaults.

    Raises:
        ConfigError: the system rejects a value.
    """
    values = {name: value for name, value in parameters.items() if value is not None}
    return applied(system, {}, space.fixed.get(system, {}) | values)


def _system(space: FamilySpace, random: np.random.Generator) -> str:
    return list(space.systems)[random.integers(len(space.systems))]


def _parameters(space: FamilySpace, system: str, random: np.random.Generator) -> dict[str, Value]:
    parameters: dict[str, Value] = {}
    for name, values in space.ranges(system).items():
        if _applies(values, parameters):
            parameters[name] = draw_value(values, random)
    return parameters


def _applies(values: MatchRange, parameters: Mapping[str, Any]) -> bool:
    return all(parameters.get(other) in allowed for other, allowed in values.only.items())


def draw_value(values: MatchRange, random: np.random.Generator) -> Value:
    """Draw one value of a range, evenly or evenly on a log scale."""
    if values.or_off and random.random() < 0.5:
        return None
    if values.choices is not None:
        return values.choices[random.integers(len(values.choices))]
    low, high = values.low, values.high
    assert low is not None
    assert high is not None
    whole = isinstance(low, int) and isinstance(high, int)
    # Each whole number gets the part of the scale that rounds to it.
    first, last = (low - 0.5, high + 0.5) if whole else (low, high)
    if values.log:
        drawn = float(np.exp(random.uniform(np.log(first), np.log(last))))
    else:
        drawn = float(random.uniform(first, last))
    return min(max(round(drawn), int(low)), int(high)) if whole else float(f"{drawn:.6g}")
