"""Tuning with Optuna: the only room that imports it."""
