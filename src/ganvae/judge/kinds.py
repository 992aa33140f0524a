"""The kinds of judges."""

from typing import Literal

JudgeKind = Literal["classes", "identities", "channels"]
"""What a judge distinguishes: classes, people, or the combined classes of the channels."""
