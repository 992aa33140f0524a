"""Matches: one search per family, GAN and VAE, with equal freedom and equal effort.

A match file (`sweeps/matches/NAME.yaml`) names both search spaces, the number of trials, and the
CPU-seconds per trial. The configurations are drawn at random. All measurements use the validation
split. No module here opens the test split.
"""
