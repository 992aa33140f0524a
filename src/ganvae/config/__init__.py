"""params.yaml as frozen, typed objects; every error names the file, the key and what is allowed."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ganvae.core.errors import ConfigError


class Section(BaseModel):
    """A section of params.yaml: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )


S = TypeVar("S", bound=Section)

MIN_IMAGES_A_SPLIT = 10  # the Inception Score of fewer says nothing; that of one is always 1


Binarization = Literal["none", "static", "dynamic"]
Layout = Literal["idx", "people", "folders"]


class Schedule(Section):
    """How long a model trains and how often it reports, all in one unit.

    ``unit`` is ``epochs`` (each real image seen once) or ``steps`` (calls of ``train_step``).
    A checkpoint holds weights, optimizers and generators; the newest is kept until the run ends.
    ``marks`` are the moments that the strip of progress shows; where there are none, six moments
    from first to last. Samples are drawn at each mark, after the first epoch and at the end too.
    """

    unit: Literal["epochs", "steps"]
    length: PositiveInt
    report_every: PositiveInt
    sample_every: PositiveInt
    checkpoint_every: PositiveInt
    marks: list[NonNegativeInt] = []


class ModelConfig(Section):
    """What every model's section has; a model adds its own numbers in a subclass.

    ``learning_rate_decay: linear`` lets every learning rate fall in a straight line to 0 at the
    end of the schedule. ``ema`` is the decay of an exponential moving average of the weights
    (1710.10196, section 4): what is drawn and evaluated is then that average; null: the weights.
    ``binarize`` gives the model black and white images, each pixel white with its grey value as
    the probability: ``static`` draws them once, ``dynamic`` anew for every batch (as 1509.00519
    does). On such images a Bernoulli decoder's bounds are bounds of a likelihood.
    """

    schedule: Schedule
    batch_size: int = Field(ge=2)
    learning_rate_decay: Literal["none", "linear"] = "none"
    ema: float | None = Field(None, gt=0, lt=1)
    binarize: Binarization = "none"


class DataConfig(Section):
    """Where the images come from and how they are split.

    ``dataset`` is a registered name; with ``layout: folders`` any name will do. ``layout`` says how
    the files lie: ``idx``, the published files of MNIST's kind; ``people``, a folder or an archive
    with a folder of photos a person; ``folders``, a folder of images a class.

    ``size`` (pixels a side) and ``channels`` (1 grey, 3 colour) are for layouts of photos; null
    leaves them as they are.

    ``train_size``, ``validation_size`` and ``test_size`` count images; the classes keep their
    proportions, and people are not divided. ``train_size: null`` takes all that validation leaves;
    ``test_size: null`` takes the whole official test set. ``split_seed`` decides what is drawn.
    """

    dataset: str
    layout: Layout
    directory: str
    size: PositiveInt | None = None
    channels: Literal[1, 3] | None = None
    train_size: PositiveInt | None
    validation_size: PositiveInt
    test_size: PositiveInt | None
    split_seed: int = Field(ge=0)


class ByClassConfig(Section):
    """The per-class PNG folders: how many images of each class of each split; null for all."""

    per_class: PositiveInt | None


class ComputeConfig(Section):
    """What trains and evaluates.

    ``threads: null`` takes all cores. ``precision`` is that of the networks while they train;
    ``auto`` takes bf16 where the device is the faster for it. Results are bit for bit the same
    only for the same threads and precision.
    """

    device: Literal["auto", "cpu", "cuda"]
    threads: PositiveInt | None
    precision: Literal["auto", "fp32", "bf16"]


class InversionConfig(Section):
    """The search for the latents that come closest to given images.

    ``images`` of the split, drawn once for all models; for each, ``restarts`` latents from the
    prior take ``steps`` steps of Adam. That costs images x restarts x steps passes of the decoder
    forwards and back.
    """

    images: PositiveInt = 50
    restarts: PositiveInt = 2
    steps: PositiveInt = 400
    learning_rate: PositiveFloat = 0.1


class InceptionConfig(Section):
    """A TorchScript Inception network: its path or URL, and its SHA-256."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class EvaluationConfig(Section):
    """How many images are generated and scored, from which seed, and what each score takes.

    The defaults are the protocol's. ``bootstrap_resamples`` of the samples give the evaluation
    noise of FID and IS; ``memorisation_samples`` of them look for their nearest training image;
    ``importance_samples`` are the k of the importance-weighted bound.
    """

    n_generated: PositiveInt = 10_000
    batch_size: PositiveInt = 125
    inception_score_splits: int = Field(10, ge=2)
    seed: int = Field(0, ge=0)
    bootstrap_resamples: int = Field(200, ge=20)
    memorisation_samples: PositiveInt = 2000
    inversion: InversionConfig = InversionConfig()
    importance_samples: PositiveInt = 500
    inception: InceptionConfig | None = None

    @model_validator(mode="after")
    def _enough_images_a_split(self) -> Self:
        if self.n_generated < MIN_IMAGES_A_SPLIT * self.inception_score_splits:
            raise ValueError(
                f"n_generated = {self.n_generated}: must be at least {MIN_IMAGES_A_SPLIT} times "
                f"inception_score_splits = {self.inception_score_splits}"
            )
        return self


class BaselinesConfig(Section):
    """How often floor and ceiling are drawn and scored: once for each of the seeds."""

    seeds: list[NonNegativeInt] = Field(min_length=1)


class RunConfig(Section):
    """One training run: an entry of ``models``, the module its code is in, and a seed.

    An entry is called after its system (``code`` with hyphens), or is a variant of it with a name
    of its own.
    """

    model: str
    code: str
    seed: int = Field(ge=0)


class Promotion(Section):
    """Where a promoted model's parameters are from: a trial of a study (`ganvae sweep promote`).

    ``fid_judge_validation`` is what the trial scored: FID on the validation split, the mean over
    its ``seeds``.
    """

    study: str
    trial: NonNegativeInt
    fid_judge_validation: float
    seeds: list[NonNegativeInt] = Field(min_length=1)


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
    """A whole params.yaml. ``models`` stays raw here: a model's own class gives it types."""

    profile: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    root: str
    file: str
    judge: str
    data: DataConfig
    by_class: ByClassConfig
    compute: ComputeConfig
    evaluation: EvaluationConfig
    baselines: BaselinesConfig
    runs: dict[str, RunConfig] = Field(min_length=1)
    models: dict[str, dict[str, Any]]
    pretrained: Literal["all", "finalists"]
    """Whose weights are kept in git: of one run of each of these models."""
    tuned: list[str] = []
    """Models whose parameters were chosen by scores, on the validation split; marked as such."""
    tuned_on: dict[str, str] = {}
    """By tuned model, the data set that its parameters were chosen on, if not on this profile's."""
    effort: EffortConfig | None = None
    """Given where the finalists were not tuned with equal effort; the answer begins with it."""
    frozen: FrozenConfig | None = None
    """Given where results that cost hours are kept while the code goes on; docs/design.md."""
    finalists: list[str] = []
    """The GAN and the VAE that answer the question; not chosen by their scores on test."""
    aside: list[str] = []
    """Variants for a picture or a likelihood, that count in neither family's comparison."""
    notes: dict[str, str] = {}
    """By model, what a reader of the table should know; printed below it."""
    promoted: dict[str, Promotion] = {}
    """Models that `ganvae sweep promote` wrote, by name; all of them are tuned."""

    @model_validator(mode="after")
    def _runs_name_themselves(self) -> Self:
        for key, run in self.runs.items():
            if key != f"{run.model}-{run.seed}":
                raise ValueError(f"runs.{key}: must be named {run.model}-{run.seed}")
            if run.model not in self.models:
                raise ValueError(f"runs.{key}.model: {run.model} has no section under models")
            if run.code.replace("_", "-") != self.system(run.model):
                raise ValueError(f"runs.{key}.code: all runs of {run.model} must have the same")
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
                if name not in self.models:
                    raise ValueError(f"{key}.{name}: has no section under models")
        for name in self.tuned_on:
            if name not in self.tuned:
                raise ValueError(f"tuned_on.{name}: must be in tuned")
        for name in self.promoted:
            if name not in self.tuned:
                raise ValueError(f"promoted.{name}: must be in tuned: scores chose its parameters")
        return self

    def system(self, model: str) -> str:
        """The registered system that an entry of ``models`` is, or is a variant of."""
        codes = [run.code for run in self.runs.values() if run.model == model]
        return codes[0].replace("_", "-") if codes else model


class JudgeNetworkConfig(Section):
    """The judge's network: convolutions, then a dense layer that gives the features."""

    channels: list[PositiveInt] = Field(min_length=1)
    strides: list[PositiveInt] = Field(min_length=1)
    features: int = Field(ge=1, le=128)
    dropout: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _one_stride_a_convolution(self) -> Self:
        if len(self.strides) != len(self.channels):
            raise ValueError("channels and strides must have the same length")
        return self


class JudgeTrainingConfig(Section):
    """How a judge is trained.

    Images are moved by up to ``max_shift`` pixels and, with ``flip``, mirrored left to right half
    of the times.
    """

    epochs: PositiveInt
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    max_shift: int = Field(ge=0)
    flip: bool = False
    seed: int = Field(ge=0)
    threads: PositiveInt


class IdentitiesConfig(Section):
    """Whom a judge of people is trained on.

    Those with at least ``min_photos`` photos in the training split; ``held_out_share`` of each
    one's photos, at least one, are kept for its accuracy.
    """

    min_photos: int = Field(ge=2)
    held_out_share: float = Field(gt=0, lt=1)


class JudgeConfig(Section):
    """A judge of judges/params.yaml that is trained: on classes, with ``identities`` on people."""

    data: DataConfig
    network: JudgeNetworkConfig
    training: JudgeTrainingConfig
    identities: IdentitiesConfig | None = None


class ChannelJudgeConfig(Section):
    """A judge of judges/params.yaml that is another one, of grey images, at work on each channel.

    ``channels_of`` is the other's weights file.
    """

    data: DataConfig
    channels_of: str


def parse(section: type[S], values: Any, where: str) -> S:
    """Type ``values`` as ``section``.

    Raises:
        ConfigError: one line a fault: ``where.key``, the value found and what is allowed.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        unknown_first = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        faults = [_describe(fault, section, where) for fault in unknown_first]
        raise ConfigError("\n".join(faults)) from None


def _describe(fault: Any, section: type[Section], where: str) -> str:
    path = [str(part) for part in fault["loc"]]
    key = ".".join([where, *path])
    match fault["type"]:
        case "extra_forbidden":
            known = ", ".join(_known_keys(section, path[:-1]))
            return f"{key}: unknown key; allowed here: {known}"
        case "missing":
            return f"{key}: missing"
        case "value_error":
            return f"{key}: {fault['ctx']['error']}"
        case _:
            return f"{key} = {fault['input']!r}: {_lower_first(fault['msg'])}"


def _known_keys(section: type[Section], path: list[str]) -> list[str]:
    """The keys of the (sub)section at ``path``; dictionaries in between take any key."""
    current: Any = section
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[part].annotation
        if getattr(current, "__origin__", None) is dict:
            current = current.__args__[1]
    return list(current.model_fields) if hasattr(current, "model_fields") else []


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``{"a": {"b": 1}}`` as ``("a.b", 1)``."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file whose top level is a mapping (2e-4 is a number, as it is to DVC).

    Raises:
        ConfigError: missing, not YAML, or not a mapping.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected `key: value` lines, found {type(values).__name__}.")
    return values


def load_params(path: Path) -> Params:
    """Read and type a profile's params.yaml (all but the models' own sections)."""
    return parse(Params, read_yaml(path), str(path))
