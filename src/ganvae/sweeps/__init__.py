"""Tune hyperparameters with Optuna. No other package imports this package."""
