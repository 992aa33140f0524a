"""What the code does, measured in seconds: results that cost hours depend on that, not on its text.

`fixture` makes small images and weights; `panel` lists the parameters to try; `training`,
`scoring`, `drawing` and `preparing` run the real code on them and write down what it did; `measure`
runs all of these side by side; `fingerprints` compares with what was written down before.
"""

REVISIONS = {"prepare": 1, "train": 1, "evaluate": 1, "draw": 1}
"""Raised by hand for a change that only shows in longer runs; makes all such results stale."""
