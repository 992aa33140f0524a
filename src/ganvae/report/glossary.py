"""The glossary of the page: the meaning and the limits of every measured score and comparison."""

from collections.abc import Collection
from dataclasses import replace

from ganvae.scores.catalogue import CATALOGUE
from ganvae.scores.terms import COMPARISONS, Term


def glossary(inversion_images: int, measured: Collection[str]) -> list[Term]:
    """The glossary entries (`Term`) of the measured scores, in the catalogue's order.

    Entries on comparisons follow.

    Args:
        inversion_images: the number of test images behind the inverted scores, which come from a
            search for the closest image that the model can draw.
        measured: the names of the measured scores.
    """
    terms = dict.fromkeys(score.term for score in CATALOGUE if score.name in measured)
    found = [replace(term, limits=term.limits.format(images=inversion_images)) for term in terms]
    return [*found, *COMPARISONS]
