"""Generative models behind one interface; see `ganvae.models.base`."""
