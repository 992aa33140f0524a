"""Record log-likelihoods that annealed importance sampling estimates for models of every system."""

from collections.abc import Mapping
from typing import Any

from ganvae.config import AnnealingSettings, Params
from ganvae.core.paths import ProfilePaths
from ganvae.evaluation.annealed import anneal_run
from ganvae.models.mixture import Mixture
from ganvae.models.registry import system_config, system_names
from ganvae.models.vae import AutoencodingModel
from ganvae.models.weights import load_model, save_model
from ganvae.pipeline.behaviour import REVISIONS
from ganvae.pipeline.behaviour.panel import FITTED, GREY, SMALL
from ganvae.pipeline.behaviour.scoring import CHECKSUMS, in_a_folder
from ganvae.pipeline.behaviour.toy_profile import KEY, SEED, Fate, write_profile, write_run

SAMPLING: dict[str, dict[str, dict[str, Any]]] = {
    "dcgan": {
        "uniform": {"prior": "uniform"},
        "truncated": {"truncation": 0.6},
        "truncated uniform": {"prior": "uniform", "truncation": 0.6},
        "rejection": {"rejection": 40.0},
        "output scale": {"output_scale": 1.5},
    },
    "bernoulli-vae": FITTED,
}
"""Options that change how samples are drawn: by system and by title."""


def log_likelihoods() -> dict[str, Any]:
    """Record the estimates for each system with its defaults, with options, and for failed runs."""
    recorded: dict[str, Any] = {
        "revision": REVISIONS["anneal"],
        "defaults": AnnealingSettings().model_dump(),
    }
    with in_a_folder():
        params = write_profile(GREY, "classes")
        for system in system_names():
            options = {"plain": {}, **SAMPLING.get(system, {})}
            recorded[system] = {
                title: _estimated(params, system, parameters)
                for title, parameters in options.items()
            }
        recorded["broken"] = _estimated(params, "dcgan", {}, "broken")
        recorded["diverged"] = _estimated(params, "dcgan", {}, "diverged")
    return recorded


def _estimated(
    params: Params, system: str, parameters: Mapping[str, Any], fate: Fate = "trained"
) -> dict[str, Any]:
    """Estimate a log-likelihood. Of the reason, only its existence is recorded."""
    config = system_config(system, {**SMALL.get(system, {}), **parameters})
    weights = ProfilePaths(params.profile).run(write_run(system, config, GREY, fate)).weights
    model = load_model(weights)
    if isinstance(model, AutoencodingModel) and isinstance(model.fitted_prior, Mixture):
        _make_valid(model.fitted_prior)
        save_model(weights, model, config, SEED)
    record = anneal_run(params, KEY).model_dump(exclude={*CHECKSUMS, "cpu_seconds"})
    return record | {"reason": record["reason"] is not None}


def _make_valid(prior: Mixture) -> None:
    """Turn artificial weights into a mixture: with positive weights, and Cholesky factors."""
    prior.weights.abs_()
    prior.factors.tril_()
    prior.factors.diagonal(dim1=1, dim2=2).abs_().add_(0.1)
