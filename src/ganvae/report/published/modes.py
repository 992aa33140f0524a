"""The table of the modes of stacked digits, beside published counts."""

from collections.abc import Sequence

from ganvae.report.numbers import fixed
from ganvae.report.published.own import OWN_HEADS, Trainings, estimated, filled, label, own
from ganvae.report.published.tables import PublishedLine, PublishedTable
from ganvae.report.scores import TIMES
from ganvae.scores.comparison import Row
from ganvae.scores.records import Provenance

MODES, KL = "modes_judge", "mode_kl_judge"
N_MODES = 1000
MODES_SAMPLES = 26_000
"""The number of samples behind the published counts of modes."""
_R3GAN = "2501.05441"
_PUBLISHED = (
    PublishedLine("DCGAN", "1705.07761", ("99.0", "3.40")),
    PublishedLine("ALI", "1705.07761", ("16.0", "5.40")),
    PublishedLine("Unrolled GAN", "1705.07761", ("48.7", "4.32")),
    PublishedLine("VEEGAN", "1705.07761", ("150.0", "2.95")),
    PublishedLine("PacDCGAN2", "1712.04086", ("1,000.0", "0.06")),
    PublishedLine("WGAN-GP", _R3GAN, ("959.0", "0.73")),
    PublishedLine("PacGAN", _R3GAN, ("992.0", "0.28")),
    PublishedLine("StyleGAN2", _R3GAN, ("940.0", "0.42")),
    PublishedLine("PresGAN", _R3GAN, ("1,000.0", "0.12")),
    PublishedLine("VAEBM", _R3GAN, ("1,000.0", "0.087")),
    PublishedLine("DDGAN", _R3GAN, ("1,000.0", "0.071")),
    PublishedLine("MEG", _R3GAN, ("1,000.0", "0.031")),
    PublishedLine("GAN + R1 + R2", _R3GAN, ("693.0", "0.927")),
    PublishedLine("relativistic GAN + R1 + R2", _R3GAN, ("1,000.0", "0.0781")),
    PublishedLine("R3GAN", _R3GAN, ("1,000.0", "0.029")),
)


def modes_table(
    rows: Sequence[Row], provenance: Provenance, trainings: Trainings
) -> PublishedTable:
    ours = [
        PublishedLine(
            label(row),
            "",
            (
                estimated(row.scores[MODES], 1),
                estimated(row.scores[KL], 3),
                *own(row, row.scores[MODES], trainings),
            ),
        )
        for row in rows
        if row.variant != "ceiling"
    ]
    n = provenance.n_generated
    theirs = "and the published modes in as many"
    if n != MODES_SAMPLES:
        theirs = f"and the published modes in {MODES_SAMPLES:,}"
    bias = (N_MODES - 1) / (2 * n)
    return PublishedTable(
        f"Modes of stacked digits, of {N_MODES:,}",
        (f"modes of {N_MODES:,} ↑", "KL from uniform, nats ↓", *OWN_HEADS),
        (*filled(_PUBLISHED), *ours),
        (
            "The scores of DCGAN, ALI, Unrolled GAN and VEEGAN are quoted from Srivastava et al., "
            "and the scores of PacDCGAN2 from Lin et al. The other scores are quoted from tables 1 "
            "and 3 of R3GAN (Huang et al.), where R1 alone fails to train. Our scores are means "
            "over seeds with their 95 % confidence interval (Student's t). The mean of the KL is "
            "geometric, with an interval on a log scale.",
            f"Our modes are counted in {n:,} samples, {theirs}. More samples show more modes.",
            "The classifier that recognises the digits differs. Our scores use this project's "
            f"judge (SHA-256 `{provenance.judge_sha256[:16]}…`).",
            "Networks, training steps and training sets differ. The table gives these numbers only "
            "for our models.",
            f"Even {n:,} draws from the uniform distribution have a KL above 0, on average about "
            f"({N_MODES:,} − 1) / (2{TIMES}{n:,}) = {fixed(bias, 3)}. Real digits are not "
            "uniform, either: the floor is the score of real images.",
        ),
    )
