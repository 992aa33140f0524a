"""A profile: all parameters of one params.yaml."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from ganvae.config.data import ByClassConfig, DataConfig
from ganvae.config.measuring import BaselinesConfig, ComputeConfig, EvaluationConfig
from ganvae.config.old_form import refuse_old_form
from ganvae.config.promotions import Promotion, RunConfig, merge, read_promotions
from ganvae.config.section import Section, parse
from ganvae.config.yaml import read_yaml

PROMOTED = "promoted.yaml"


class EffortConfig(Section):
    """How much effort went into tuning the finalists.

    ``unequal`` says how their tuning differs, as a clause that follows "the effort was unequal:".
    ``outside`` says in whole sentences what trials outside the pipeline found.
    """

    unequal: str = Field(min_length=1)
    outside: str = ""


class FrozenConfig(Section):
    """The protocol and the commit that produced the committed results."""

    protocol: PositiveInt
    commit: str = Field(pattern=r"^[0-9a-f]{7,40}$")


class Params(Section):
    """All parameters of a params.yaml, with its promoted variants.

    ``root`` is the path from the file to the repository's root. ``file`` and ``promotions`` are
    the paths from the root to this file and to the file of promoted variants
    (`ganvae.config.promotions`).
    """

    profile: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    root: str
    file: str
    promotions: str
    judge: str
    data: DataConfig
    by_class: ByClassConfig
    compute: ComputeConfig
    evaluation: EvaluationConfig
    baselines: BaselinesConfig
    runs: dict[str, RunConfig] = Field(min_length=1)
    variants: dict[str, dict[str, Any]]
    pretrained: Literal["all", "finalists"]
    """The variants whose weights are kept in git: those of one run per variant."""
    tuned: list[str] = Field(default=[])
    """Variants whose parameters were chosen by validation scores. Reports mark these variants."""
    tuned_on: dict[str, str] = Field(default={})
    """The data set that a tuned variant's parameters were chosen on, if not this profile's."""
    effort: EffortConfig | None = None
    """Set if the finalists were not tuned with equal effort. The report's answer begins with it."""
    frozen: FrozenConfig | None = None
    """Set if results that take hours are kept while the code changes (docs/design.md)."""
    finalists: list[str] = Field(default=[])
    """The GAN and the VAE that answer the question. Test scores did not choose them."""
    aside: list[str] = Field(default=[])
    """Variants trained for a picture or a likelihood. The comparison of families omits them."""
    notes: dict[str, str] = Field(default={})
    """Notes on variants, printed below the table."""
    promoted: dict[str, Promotion] = Field(default={})
    """Variants that `ganvae sweep promote` wrote, by name. All of them are tuned."""

    @model_validator(mode="after")
    def _runs_fit_their_variants(self) -> Self:
        for key, run in self.runs.items():
            if key != f"{run.variant}-{run.seed}":
                raise ValueError(
                    f"runs.{key} is the run of {run.variant} from seed {run.seed}, so it must be "
                    f"named {run.variant}-{run.seed}"
                )
            if run.variant not in self.variants:
                raise ValueError(
                    f"runs.{key}.variant is {run.variant}, but {run.variant} has no section under "
                    "variants"
                )
            if run.system != self.system(run.variant):
                raise ValueError(
                    f"runs.{key}.system is {run.system}, but all runs of {run.variant} must have "
                    "the same system"
                )
        if self.frozen and self.profile == "laptop":
            raise ValueError(
                "frozen is set, but the laptop profile must follow the code: delete frozen"
            )
        if len(self.finalists) not in (0, 2):
            raise ValueError(
                f"finalists has {len(self.finalists)} entries, but it must name a GAN and a VAE, "
                "or nothing"
            )
        sections: dict[str, Collection[str]] = {
            "notes": self.notes,
            "tuned": self.tuned,
            "tuned_on": self.tuned_on,
            "finalists": self.finalists,
            "aside": self.aside,
            "promoted": self.promoted,
        }
        for key, names in sections.items():
            for name in names:
                if name not in self.variants:
                    raise ValueError(
                        f"{key} names {name}, but {name} has no section under variants"
                    )
        for name in self.tuned_on:
            if name not in self.tuned:
                raise ValueError(f"tuned_on names {name}, but {name} is not in tuned: add it there")
        for name in self.promoted:
            if name not in self.tuned:
                raise ValueError(
                    f"promoted names {name}, but {name} is not in tuned: add it there, because "
                    "scores chose its parameters"
                )
        return self

    def system(self, variant: str) -> str:
        """The system of a variant. A variant without runs is named after its system."""
        systems = (run.system for run in self.runs.values() if run.variant == variant)
        return next(systems, variant)


def load_params(path: Path) -> Params:
    """Read and validate a profile's params.yaml and its promoted variants.

    The sections of the variants stay unchecked dictionaries. `ganvae.models.registry` validates
    them.

    Raises:
        ConfigError: a file is unreadable, or a parameter is unknown, missing or invalid.
    """
    values = read_yaml(path)
    refuse_old_form(values, path)
    promoted = path.with_name(PROMOTED)
    return parse(Params, merge(values, read_promotions(promoted), promoted), str(path))
