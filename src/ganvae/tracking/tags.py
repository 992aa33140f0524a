"""Names of the tags by which a run in MLflow is known again."""

KEY = "ganvae.key"
"""What stays the same when a run is repeated: ``<profile>/<model>-<seed>``, say."""

DIGEST = "ganvae.digest"
"""Checksum of what the run shows; written last, so a run without it is not whole."""

PICTURES = "ganvae.pictures"
"""Checksum of the pictures that the run shows; they are not in its digest: a clone has few."""

CURRENT = "current"
"""``true``: shows the present results; ``false``: history."""

LEVEL = "level"
"""``run``: one training; ``model``: the mean of its seeds; ``study`` and ``trial``: a sweep's."""
