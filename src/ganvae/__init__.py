"""A benchmark of GANs against VAEs.

For notebooks and scripts, the package has three calls: `score`, `sample` and `compare`.

Data and imports flow one way through these subpackages.

| subpackage | contents |
| --- | --- |
| `core` | errors, files, tensors, images, random seeds, devices, paths |
| `config` | params.yaml as typed objects |
| `data` | data sets, their splits, and images from users |
| `judge` | the classifier whose features all scores are computed from |
| `models` | losses, layers, priors and optimizers; one file per system in `models/systems` |
| `training` | the training loop, checkpoints, precision |
| `metrics` | pure functions on arrays |
| `scores` | records of scores, statistics, and differences between variants |
| `evaluation` | scoring a trained model, real images, or a user's samples |
| `pictures` | pictures of one training run |
| `report` | leaderboards, the report page, the page across data sets |
| `pipeline` | `ganvae repro`, published results, and fingerprints of behaviour |
| `tracking` | results in MLflow |
| `sweeps` | hyperparameter search with Optuna |
| `matches` | a search for GANs and a search for VAEs with the same effort |
| `api` | the three calls |
| `cli` | the command line |

A subpackage imports only from the rows above it; `tests/test_architecture.py` checks this.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganvae.api import compare, sample, score

__all__ = ["compare", "sample", "score"]


def __getattr__(name: str) -> Any:
    """Import `ganvae.api` at the first use of a call, because the import takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module 'ganvae' has no attribute {name!r}")
    from ganvae import api

    return getattr(api, name)
