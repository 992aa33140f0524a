"""Generative models with one common interface, `ganvae.models.base`."""
