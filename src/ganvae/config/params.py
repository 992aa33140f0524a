"""A profile: the whole of a params.yaml."""

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
    """What a reader must know of the effort that went into the finalists.

    ``unequal``: how their tuning differs, a clause that follows "the effort was unequal:".
    ``outside``: what trials outside the pipeline found, in whole sentences.
    """

    unequal: str = Field(min_length=1)
    outside: str = ""


class FrozenConfig(Section):
    """Of which protocol and which commit the committed results are."""

    protocol: PositiveInt
    commit: str = Field(pattern=r"^[0-9a-f]{7,40}$")


class Params(Section):
    """A whole params.yaml, and its promoted variants.

    ``root`` leads from the file to the repository's root; ``file`` and ``promotions`` lead from
    there to this file and to the one of the promoted variants (`ganvae.config.promotions`).
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
    """Whose weights are kept in git: of one run of each of these models."""
    tuned: list[str] = Field(default=[])
    """Models whose parameters were chosen by scores, on the validation split; marked as such."""
    tuned_on: dict[str, str] = Field(default={})
    """By tuned model, the data set that its parameters were chosen on, if not on this profile's."""
    effort: EffortConfig | None = None
    """Given where the finalists were not tuned with equal effort; the answer begins with it."""
    frozen: FrozenConfig | None = None
    """Given where results that cost hours are kept while the code goes on; docs/design.md."""
    finalists: list[str] = Field(default=[])
    """The GAN and the VAE that answer the question; not chosen by their scores on test."""
    aside: list[str] = Field(default=[])
    """Variants for a picture or a likelihood, that count in neither family's comparison."""
    notes: dict[str, str] = Field(default={})
    """By model, what a reader of the table should know; printed below it."""
    promoted: dict[str, Promotion] = Field(default={})
    """Models that `ganvae sweep promote` wrote, by name; all of them are tuned."""

    @model_validator(mode="after")
    def _runs_fit_their_variants(self) -> Self:
        for key, run in self.runs.items():
            if key != f"{run.variant}-{run.seed}":
                raise ValueError(f"runs.{key}: must be named {run.variant}-{run.seed}")
            if run.variant not in self.variants:
                raise ValueError(f"runs.{key}.variant: {run.variant} has no section under variants")
            if run.system != self.system(run.variant):
                raise ValueError(
                    f"runs.{key}.system: all runs of {run.variant} must have the same system"
                )
        if self.frozen and self.profile == "laptop":
            raise ValueError("frozen: the laptop profile is always that of the code")
        if len(self.finalists) not in (0, 2):
            raise ValueError("finalists: must be two models, a GAN and a VAE, or none")
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
                    raise ValueError(f"{key}.{name}: has no section under variants")
        for name in self.tuned_on:
            if name not in self.tuned:
                raise ValueError(f"tuned_on.{name}: must be in tuned")
        for name in self.promoted:
            if name not in self.tuned:
                raise ValueError(f"promoted.{name}: must be in tuned: scores chose its parameters")
        return self

    def system(self, variant: str) -> str:
        """The system that a variant is; one without runs has its system's name."""
        systems = (run.system for run in self.runs.values() if run.variant == variant)
        return next(systems, variant)


def load_params(path: Path) -> Params:
    """Read and type a profile's params.yaml and its promoted variants.

    The variants' own sections stay raw: each system's class gives them types.

    Raises:
        ConfigError: a file cannot be read, or something is wrong in it.
    """
    values = read_yaml(path)
    refuse_old_form(values, path)
    promoted = path.with_name(PROMOTED)
    return parse(Params, merge(values, read_promotions(promoted), promoted), str(path))
