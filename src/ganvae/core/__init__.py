"""Shared foundations: errors, files, tensors, images, random seeds and paths."""
