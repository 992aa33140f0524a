"""Numbers as text: few digits, a true minus sign, suitable units."""

import math

MINUS = "\N{MINUS SIGN}"


def fixed(value: float, decimals: int, plus: str = "") -> str:
    """Format a number with a fixed number of decimals: ``1234.5`` becomes ``1,234.50``.

    Positive numbers start with ``plus``. A number that rounds to 0 has no sign.
    """
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0."):
        return text
    return f"{MINUS if value < 0 else plus}{text}"


def significant(value: float, digits: int = 3) -> str:
    """Format a number with ``digits`` significant digits: ``0.0123``, ``5.11``, ``1,235``.

    The text never has an exponent.
    """
    first = math.floor(math.log10(abs(value))) if value else 0
    return fixed(value, max(0, digits - 1 - first))


def percent(share: float) -> str:
    """A share in percent, without decimals: ``54 %``, ``under 1 %``, ``over 99 %``."""
    if 0.005 < share < 0.995:
        return f"{100 * share:.0f} %"
    return "under 1 %" if share < 0.5 else "over 99 %"


def p_value(p: float | None) -> str:
    """A p-value as text: ``p = 0.032``, or ``p < 0.001``; "" if no test was made."""
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {significant(p, 2)}"


def duration(seconds: float) -> str:
    """A duration as text, in seconds, minutes or hours."""
    for size, unit in ((3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{significant(seconds / size, 2)} {unit}"
    return f"{seconds:.0f} seconds"


def cpu_seconds(seconds: float) -> str:
    """A time of one CPU core as text: ``60 CPU-seconds``."""
    return "1 CPU-second" if seconds == 1 else f"{seconds:g} CPU-seconds"


def listed(names: list[str]) -> str:
    """Names as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
