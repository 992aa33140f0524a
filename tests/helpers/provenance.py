"""A provenance for toy records."""

from ganvae.scores.records import PROTOCOL_VERSION, Provenance

PROVENANCE = Provenance(
    protocol_version=PROTOCOL_VERSION,
    dataset="mnist",
    split="test",
    n_real=10_000,
    n_generated=10_000,
    judge_sha256="a" * 64,
    data_sha256="b" * 64,
    weights_sha256="c" * 64,
    training_seed=0,
    evaluation_seed=0,
    inception_score_splits=10,
    bootstrap_resamples=200,
    memorisation_samples=2000,
    inversion_images=50,
    inversion_restarts=2,
    inversion_steps=400,
    inversion_learning_rate=0.1,
    importance_samples=500,
    inception_sha256=None,
    training_steps=500,
    training_precision="fp32",
)
