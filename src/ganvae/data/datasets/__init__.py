"""Modules of data sets, found by `ganvae.data.registry`. Each module defines ``DATASET``."""
