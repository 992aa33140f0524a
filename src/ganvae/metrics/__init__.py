"""Scores: pure functions of features, logits or images; none touches torch's global generators."""
