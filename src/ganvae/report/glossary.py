"""The glossary of the page: what every measured score says, and what it does not."""

from collections.abc import Collection
from dataclasses import replace

from ganvae.scores.catalogue import CATALOGUE
from ganvae.scores.terms import Term


def glossary(inversion_images: int, measured: Collection[str]) -> list[Term]:
    """The terms of the scores that some model has, in the catalogue's order.

    Args:
        inversion_images: how many images the inverted scores rest on.
        measured: names of scores.
    """
    terms = dict.fromkeys(score.term for score in CATALOGUE if score.name in measured)
    return [replace(term, limits=term.limits.format(images=inversion_images)) for term in terms]
