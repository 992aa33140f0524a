"""Notes on the variants and on the results of a profile."""

from ganvae.config import Params, Promotion
from ganvae.report.numbers import listed
from ganvae.report.scores import printed


def notes_of(params: Params) -> dict[str, str]:
    """The notes by variant: the profile's own, and for promoted variants their origin."""
    notes = dict(params.notes)
    for variant, promotion in params.promoted.items():
        notes[variant] = " ".join(filter(None, [notes.get(variant), _origin(promotion)]))
    return notes


def frozen_notice(params: Params) -> str:
    """The notice at the top of frozen results; "" if the results are not frozen."""
    if not params.frozen:
        return ""
    return (
        f"Frozen: these results were made with protocol {params.frozen.protocol} at commit "
        f"{params.frozen.commit}, not with the present code."
    )


def _origin(promotion: Promotion) -> str:
    seeds = listed([str(seed) for seed in promotion.seeds])
    origin = f"mean of seeds {seeds}" if len(promotion.seeds) > 1 else f"seed {seeds}"
    return (
        f"Its parameters are from trial {promotion.trial} of the sweep `{promotion.study}`, with "
        f"FID {printed('fid_judge', promotion.fid_judge_validation)} on the validation split "
        f"({origin}). The runs here use other seeds."
    )
