"""Runs the pipeline's stages, publishes their results, and measures the code's behaviour."""
