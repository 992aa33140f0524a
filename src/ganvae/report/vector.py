"""Figures as inline SVG that uses the colours of the page."""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

COLOURS = {
    "ink": "#010203",
    "faint": "#8a8b8c",
    "gan": "#d1495b",
    "vae": "#00798c",
    "hybrid": "#b4770f",
    "reference": "#6f7071",
    "other": "#6a4c93",
}
"""A mapping from name to a figure's colour on white.

The page replaces each colour by the CSS variable of the same name.
"""

MARKERS = {"gan": "o", "vae": "s", "hybrid": "D", "reference": "P", "other": "^"}
"""The marker of each family, because some readers cannot tell colours apart."""

STYLE: Any = {
    "axes.edgecolor": COLOURS["faint"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.color": COLOURS["faint"],
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["faint"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.color": COLOURS["faint"],
    "ytick.labelcolor": COLOURS["ink"],
}


def vector(width: float, height: float, label: str, draw: Callable[[Figure], None]) -> Markup:
    """Draw a figure as an SVG element. Equal inputs give equal bytes.

    Args:
        width, height: the size in inches.
        label: a description for readers who cannot see the figure. No two figures of the page may
            have the same label.
        draw: draws on a given figure.
    """
    with mpl.rc_context(STYLE | {"svg.hashsalt": label}):  # makes the ids unique in the page
        canvas = Figure(figsize=(width, height), layout="constrained")
        draw(canvas)
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return Markup(_inline(buffer.getvalue(), label))


def plain_ticks(ax: Axes, which: str) -> None:
    """Label a logarithmic axis, "x" or "y", with 1, 2, 5, 10 … instead of powers of ten."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = ax.get_xlim() if which == "x" else ax.get_ylim()
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if len(powers) < 4 else (1, 3)
    ticks = [step * 10.0**power for power in powers for step in steps]
    axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.10g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _inline(document: str, label: str) -> str:
    """Extract the SVG element, drop metadata, styles and group ids, and use CSS colours."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style .*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<g id=\"[^\"]*\"", "<g", svg)  # the same in every figure
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    head = re.search(r"viewBox=\"0 0 ([\d.]+) ([\d.]+)\"", svg)
    assert head is not None
    opening = (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {head[1]} {head[2]}" '
        f'width="{head[1]}" height="{head[2]}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return re.sub(r"\n\s*", "\n", opening + svg[svg.index(">") + 1 :]).strip()
