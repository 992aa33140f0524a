"""Notes on the variants and on the results of a profile."""

from ganvae.config import Params, Promotion
from ganvae.report.numbers import listed
from ganvae.report.scores import printed


def notes_of(params: Params) -> dict[str, str]:
    """A mapping from variant to its note.

    A note is the text in the profile's parameters. For promoted variants, the note also names the
    trial that the parameters come from.
    """
    notes = dict(params.notes)
    for variant, promotion in params.promoted.items():
        notes[variant] = " ".join(filter(None, [notes.get(variant), _origin(promotion)]))
    return notes


def frozen_notice(params: Params) -> str:
    """A notice for the top of frozen results; "" if the results are not frozen.

    Frozen results were made with an older protocol and commit, not with the present code.
    """
    if not params.frozen:
        return ""
    return (
        f"These results are frozen: they were made with protocol {params.frozen.protocol} at "
        f"commit {params.frozen.commit}, not with the present code."
    )


def _origin(promotion: Promotion) -> str:
    seeds = listed([str(seed) for seed in promotion.seeds])
    origin = f"mean over seeds {seeds}" if len(promotion.seeds) > 1 else f"seed {seeds}"
    kind = "match" if promotion.match else "sweep"
    return (
        f"The parameters are from trial {promotion.trial} of the {kind} `{promotion.study}`, with "
        f"FID {printed('fid_judge', promotion.fid_judge_validation)} on the validation split "
        f"({origin}). The runs in this report use other seeds."
    )
