"""Tune hyperparameters with Optuna. No other package imports it."""
