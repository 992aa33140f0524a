"""Measure in seconds how this code behaves. Hour-long stages depend on the measurement.

So an edit that changes no behaviour makes no result stale. `fixture` makes small images and
weights. `panel` lists the parameters to try. `training`, `scoring`, `drawing` and `preparing` run
the real code and record its numbers. `measure` runs these four modules in parallel. `fingerprints`
compares the new records with the earlier records.
"""

REVISIONS = {"prepare": 1, "train": 1, "evaluate": 1, "draw": 1}
"""A revision number per kind of measured stage; a raised number makes that kind's results stale.

Raise a number by hand for a change that shows only in training runs longer than the measured ones.
"""
