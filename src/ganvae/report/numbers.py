"""Numbers as text: few digits, a true minus sign, suitable units."""

import math

MINUS = "\N{MINUS SIGN}"


def fixed(value: float, decimals: int, plus: str = "") -> str:
    """``1234.5`` as ``1,234.50``. Positive numbers start with ``plus``. A rounded 0 has no sign."""
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0."):
        return text
    return f"{MINUS if value < 0 else plus}{text}"


def significant(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, no exponent: ``0.0123``, ``5.11``, ``1,235``."""
    first = math.floor(math.log10(abs(value))) if value else 0
    return fixed(value, max(0, digits - 1 - first))


def p_value(p: float | None) -> str:
    """``p = 0.032``, or ``p < 0.001``; "" if no test was made."""
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {significant(p, 2)}"


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours, whichever reads best."""
    for size, unit in ((3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{significant(seconds / size, 2)} {unit}"
    return f"{seconds:.0f} seconds"


def listed(names: list[str]) -> str:
    """Names as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
