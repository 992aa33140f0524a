"""A benchmark of GANs against VAEs. Data and imports flow one way through these subpackages.

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
| `cli` | the command line |

A subpackage imports only from the rows above it; `tests/test_architecture.py` checks this.
"""
