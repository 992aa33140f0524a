"""Measure how this code behaves. The measurement takes seconds; training takes hours.

The stages that train and score depend on this measurement instead of the source code. So an edit
that changes no behaviour makes no result stale.

`fixture` makes small images and weights. `panel` lists the parameters to try. `training`,
`scoring`, `annealing`, `drawing` and `preparing` run the real code and record its numbers.
`measure` runs these five modules in parallel. `fingerprints` compares the new records with the
earlier records.
"""

REVISIONS = {"prepare": 1, "train": 1, "evaluate": 1, "anneal": 1, "draw": 1}
"""A mapping from kind of stage to its revision number.

If a number is raised, all results of this kind of stage are stale. Raise a number by hand after a
change that affects only training runs that are longer than the measured training runs.
"""
