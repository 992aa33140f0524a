"""The kinds of judges. A judge is a classifier that scores generated images."""

from typing import Literal

JudgeKind = Literal["classes", "identities", "channels"]
"""The kind of a judge's classes.

``classes`` are the data set's own classes. ``identities`` are people. ``channels`` are the
combinations of the classes of all channels.
"""
