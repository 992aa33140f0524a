"""A profile: the parameters of one data set's experiments, from one params.yaml."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from ganvae.config.annealing import AnnealingConfig
from ganvae.config.data import ByClassConfig, DataConfig
from ganvae.config.measuring import BaselinesConfig, ComputeConfig, EvaluationConfig
from ganvae.config.old_form import refuse_old_form
from ganvae.config.promotions import PROMOTED, Promotion, RunConfig, merge, read_promotions
from ganvae.config.section import PATH, Section, parse
from ganvae.config.yaml import read_yaml
from ganvae.core.paths import NO_PROFILES


class EffortConfig(Section):
    """Text on the tuning effort of the two finalists: the GAN and the VAE that are compared.

    ``unequal`` is a clause on the difference in effort. Reports print the clause after the words
    "the effort was unequal". It is empty if the effort was equal. ``outside`` has whole sentences
    on trials outside the pipeline.
    """

    unequal: str = ""
    outside: str = ""


class FrozenConfig(Section):
    """The origin of the committed results.

    ``protocol`` is the version of the scoring rules. ``commit`` is the git commit of the code that
    computed the results.
    """

    protocol: PositiveInt
    commit: str = Field(pattern=r"^[0-9a-f]{7,40}$")


class Params(Section):
    """All parameters of a profile, from params.yaml and the file of promoted variants.

    ``root`` is the path from the folder of params.yaml to the repository's root. ``file`` is the
    path from the root to params.yaml. ``promotions`` is the path from the root to the file of
    promoted variants (`ganvae.config.promotions`).
    """

    profile: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    root: str = Field(pattern=PATH)
    file: str = Field(pattern=PATH)
    promotions: str = Field(pattern=PATH)
    judge: str
    data: DataConfig
    by_class: ByClassConfig
    compute: ComputeConfig
    evaluation: EvaluationConfig
    baselines: BaselinesConfig
    annealing: AnnealingConfig
    runs: dict[str, RunConfig] = Field(min_length=1)
    variants: dict[str, dict[str, Any]]
    pretrained: Literal["all", "finalists"] | list[str]
    """The variants whose weights are in git, with one training run per variant (`published`)."""
    tuned: list[str] = Field(default=[])
    """Variants whose parameters were chosen by validation scores. Reports label these variants."""
    tuned_on: dict[str, str] = Field(default={})
    """The variants that were tuned on another data set, each with the name of that data set.

    Variants that were tuned on this profile's own data set are not in this mapping.
    """
    effort: EffortConfig | None = None
    """Set if the finalists were tuned with unequal effort. The report's answer says so first."""
    frozen: FrozenConfig | None = None
    """Set if the committed results may be older than the code (docs/design.md, Frozen results)."""
    finalists: list[str] = Field(default=[])
    """The GAN and the VAE that answer the project's question, chosen without test scores."""
    aside: list[str] = Field(default=[])
    """Variants trained only for a picture or a likelihood.

    The comparison of GANs with VAEs leaves these variants out.
    """
    notes: dict[str, str] = Field(default={})
    """A mapping from variants to notes. Reports print the notes below the table of scores."""
    promoted: dict[str, Promotion] = Field(default={})
    """A mapping from promoted variants to origins. `ganvae sweep promote` writes these variants.

    All promoted variants are in ``tuned`` too.
    """

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
            section_file = self.promotions if run.variant in self.promoted else self.file
            if run.file != section_file:
                raise ValueError(
                    f"runs.{key}.file is {run.file}, but it must be the file that contains "
                    f"variants.{run.variant}, which is {section_file}"
                )
        for key in self.annealing.runs:
            if key not in self.runs:
                raise ValueError(
                    f"annealing.runs names {key}, but {key} is not a run. Choose keys of the "
                    "section runs"
                )
        if self.profile in NO_PROFILES:
            raise ValueError(
                f"profile is {self.profile}, but results/{self.profile} has other files. Give "
                "another name"
            )
        if self.frozen and self.profile == "laptop":
            raise ValueError(
                "frozen is set, but the results of the laptop profile must come from the current "
                "code. Delete frozen"
            )
        if len(self.finalists) not in (0, 2):
            raise ValueError(
                f"finalists has {len(self.finalists)} entries, but it must have two entries, a "
                "GAN and a VAE, or none"
            )
        sections: dict[str, Collection[str]] = {
            "notes": self.notes,
            "tuned": self.tuned,
            "tuned_on": self.tuned_on,
            "finalists": self.finalists,
            "aside": self.aside,
            "promoted": self.promoted,
            "pretrained": self.published,
        }
        for key, names in sections.items():
            for name in names:
                if name not in self.variants:
                    raise ValueError(
                        f"{key} names {name}, but {name} has no section under variants"
                    )
        for name in self.tuned_on:
            if name not in self.tuned:
                raise ValueError(f"tuned_on names {name}, but tuned does not. Add {name} to tuned")
        for name in self.promoted:
            if name not in self.tuned:
                raise ValueError(
                    f"promoted names {name}, but {name} is not in tuned. Add it to tuned, "
                    "because a sweep chose its parameters by scores"
                )
        return self

    @property
    def published(self) -> list[str]:
        """The names of the variants whose weights are in git."""
        if isinstance(self.pretrained, list):
            return self.pretrained
        return list(self.variants) if self.pretrained == "all" else self.finalists

    def system(self, variant: str) -> str:
        """The name of a variant's system. A variant without training runs gives its own name."""
        systems = (run.system for run in self.runs.values() if run.variant == variant)
        return next(systems, variant)


def load_params(path: Path) -> Params:
    """Read and validate a profile's params.yaml and its promoted variants.

    This function does not check the sections of the variants. `ganvae.models.registry` checks these
    sections.

    Raises:
        ConfigError: a file is unreadable, or a parameter is unknown, missing or invalid.
    """
    values = read_yaml(path)
    refuse_old_form(values, path)
    promoted = path.with_name(PROMOTED)
    return parse(Params, merge(values, read_promotions(promoted), promoted), str(path))
