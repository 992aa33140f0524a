"""GAN or VAE? A benchmark. Data flows one way through these rooms, and so do imports.

| room | what is in it |
| --- | --- |
| `core` | errors, files, tensors, images, random seeds, devices, paths |
| `config` | params.yaml as typed objects |
| `data` | data sets, their splits, and images that users bring |
| `judge` | the classifier whose features all scores are computed from |
| `models` | losses, layers, priors, optimizers; `models/systems` has one file per system |
| `training` | the training loop, checkpoints, precision |
| `metrics` | pure functions on arrays |
| `scores` | records of scores, statistics, and what differs between models |
| `evaluation` | measuring a trained model, real images, or a user's samples |
| `pictures` | what one training run looks like |
| `report` | leaderboards, the report page, the page across data sets |
| `pipeline` | `ganvae repro`, what is published, fingerprints of behaviour |
| `tracking` | results in MLflow |
| `sweeps` | hyperparameter search with Optuna |
| `cli` | the command line |

A room knows those above it and none below: `tests/test_architecture.py`.
"""
