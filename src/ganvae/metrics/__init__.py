"""Scores: pure functions of features, logits or images.

No score changes the state of torch's global generators.
"""
