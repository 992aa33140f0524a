"""The kinds of judges. A judge is a classifier that scores generated images."""

from typing import Literal

JudgeKind = Literal["classes", "identities", "channels"]
"""The kind of a judge's classes.

With ``classes``, the classes are those of the data set. With ``identities``, each person is a
class. With ``channels``, each combination of the channels' classes is a class.
"""
