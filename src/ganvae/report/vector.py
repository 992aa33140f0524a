"""Figures as SVG that stands in the page itself and takes on its colours."""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

COLOURS = {
    "ink": "#010203",
    "faint": "#8a8b8c",
    "gan": "#d1495b",
    "vae": "#00798c",
    "hybrid": "#b4770f",
    "reference": "#6f7071",
    "other": "#6a4c93",
}
"""What figures are drawn in, on white; in the page each becomes the CSS variable of that name."""

MARKERS = {"gan": "o", "vae": "s", "hybrid": "D", "reference": "P", "other": "^"}
"""A family is told by its marker too: colours alone do not reach everybody."""

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
    """The SVG element of a figure (inches) that ``draw`` draws; the same bytes every time.

    Args:
        label: what it shows, for those who do not see it; no two figures have the same.
    """
    with mpl.rc_context(STYLE | {"svg.hashsalt": label}):  # ids that no other figure has
        canvas = Figure(figsize=(width, height), layout="constrained")
        draw(canvas)
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return Markup(_inline(buffer.getvalue(), label))


def _inline(document: str, label: str) -> str:
    """The element alone, without what a page has for all its figures or must not have twice."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style .*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<g id=\"[^\"]*\"", "<g", svg)  # ids of groups repeat in every figure
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    head = re.search(r"viewBox=\"0 0 ([\d.]+) ([\d.]+)\"", svg)
    assert head is not None
    opening = (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {head[1]} {head[2]}" '
        f'width="{head[1]}" height="{head[2]}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return re.sub(r"\n\s*", "\n", opening + svg[svg.index(">") + 1 :]).strip()
