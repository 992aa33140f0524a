"""What a reader should know of each model of a profile."""

from ganvae.config import Params, Promotion
from ganvae.report.numbers import listed
from ganvae.report.scores import printed


def notes_of(params: Params) -> dict[str, str]:
    """By model, the profile's note and, of a promoted one, where its parameters are from."""
    notes = dict(params.notes)
    for model, promotion in params.promoted.items():
        notes[model] = " ".join(filter(None, [notes.get(model), _origin(promotion)]))
    return notes


def frozen_notice(params: Params) -> str:
    """What pages of frozen results begin with; "" where they are those of the code."""
    if not params.frozen:
        return ""
    return (
        f"Frozen: these results are of protocol {params.frozen.protocol} and of commit "
        f"{params.frozen.commit}, not of the code beside them."
    )


def _origin(promotion: Promotion) -> str:
    seeds = listed([str(seed) for seed in promotion.seeds])
    of = f"the mean of seeds {seeds}" if len(promotion.seeds) > 1 else f"from seed {seeds}"
    return (
        f"From trial {promotion.trial} of the sweep `{promotion.study}`: FID on validation "
        f"{printed('fid_judge', promotion.fid_judge_validation)}, {of}; these seeds are others."
    )
