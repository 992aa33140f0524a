"""Measures in seconds what the code does; results that take hours depend on this, not on the text.

`fixture` makes small images and weights. `panel` lists the parameters to try. `training`,
`scoring`, `drawing` and `preparing` run the real code on them and record what it did. `measure`
runs all of these in parallel. `fingerprints` compares the records with the earlier ones.
"""

REVISIONS = {"prepare": 1, "train": 1, "evaluate": 1, "draw": 1}
"""To raise by hand for a change that only shows in longer runs; all such results become stale."""
