"""Classes for parameter files. Their objects are immutable and typed.

Error messages name the file, the key and the allowed values.
"""

from ganvae.config.annealing import AnnealingConfig, AnnealingSettings
from ganvae.config.data import ByClassConfig, DataConfig, Layout
from ganvae.config.judges import (
    ChannelJudgeConfig,
    IdentitiesConfig,
    JudgeConfig,
    JudgeNetworkConfig,
    JudgeTrainingConfig,
    TasksConfig,
    UnlabelledChannelConfig,
    UnlabelledTrainingConfig,
)
from ganvae.config.measuring import (
    MIN_IMAGES_A_SPLIT,
    BaselinesConfig,
    ComputeConfig,
    EvaluationConfig,
    InceptionConfig,
    InversionConfig,
    UnlabelledJudgeConfig,
)
from ganvae.config.models import Binarization, LogitModelConfig, ModelConfig, Schedule
from ganvae.config.params import (
    EffortConfig,
    FrozenConfig,
    Params,
    load_params,
)
from ganvae.config.promotions import Promotion, RunConfig
from ganvae.config.section import Section, Seed, flat, parse
from ganvae.config.yaml import read_yaml

__all__ = [
    "MIN_IMAGES_A_SPLIT",
    "AnnealingConfig",
    "AnnealingSettings",
    "BaselinesConfig",
    "Binarization",
    "ByClassConfig",
    "ChannelJudgeConfig",
    "ComputeConfig",
    "DataConfig",
    "EffortConfig",
    "EvaluationConfig",
    "FrozenConfig",
    "IdentitiesConfig",
    "InceptionConfig",
    "InversionConfig",
    "JudgeConfig",
    "JudgeNetworkConfig",
    "JudgeTrainingConfig",
    "Layout",
    "LogitModelConfig",
    "ModelConfig",
    "Params",
    "Promotion",
    "RunConfig",
    "Schedule",
    "Section",
    "Seed",
    "TasksConfig",
    "UnlabelledChannelConfig",
    "UnlabelledJudgeConfig",
    "UnlabelledTrainingConfig",
    "flat",
    "load_params",
    "parse",
    "read_yaml",
]
