"""The kinds of judge."""

from typing import Literal

JudgeKind = Literal["classes", "identities", "channels"]
"""What a judge was trained to tell apart: classes, people, or the classes of three channels."""
