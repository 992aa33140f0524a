"""What every score says, its source and its limits, for the page."""

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Entry:
    """One line of the glossary.

    ``sources``: arXiv numbers. ``scores``: it is shown where any of these was measured; always if
    there are none.
    """

    term: str
    says: str
    good: str
    limits: str
    sources: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()


GLOSSARY = (  # {images}: how many images the latents are searched for
    Entry(
        "FID",
        "Fréchet distance between Gaussians fitted to the judge's features of real and of "
        "generated images.",
        "Lower; the floor is what real images score.",
        "Whether fidelity or variety is lacking. It is biased upwards at finite N, and in a "
        "judge's features it compares with no published FID.",
        ("1706.08500",),
    ),
    Entry(
        "FID, N → ∞",
        "FID extrapolated along its straight line in 1/N to infinitely many generated images.",
        "Lower.",
        "More than the line does: near the floor it may come out below zero.",
        ("1911.07023",),
    ),
    Entry(
        "KID",
        "Squared distance of the two sets' means under a cubic kernel, without FID's bias in N; in "
        "Inception features it is printed times 1000.",
        "Lower, about 0 for real images.",
        "What differs; values below 0 are noise.",
        ("1801.01401",),
    ),
    Entry(
        "IS",
        "How certain and how varied the judge's verdicts on the samples are.",
        "Higher, from 1 to the number of classes.",
        "Whether the images look real, or vary within a class.",
        ("1606.03498",),
        scores=("is_judge",),
    ),
    Entry(
        "modes",
        "How many of the data's known modes the judge puts at least one sample in.",
        "Higher, up to all of them.",
        "How often each is drawn: one sample is enough, and may be the judge's mistake. More "
        "samples find more.",
        ("1611.02163",),
        scores=("modes_judge",),
    ),
    Entry(
        "KL of modes",
        "KL divergence of the samples' shares of the modes from equal shares, in nats.",
        "Lower; from 0 to the logarithm of the number of modes.",
        "Whether the images look real. Few samples cannot be even: equal shares give (modes − 1) / "
        "2N on average, so that only equal N compare.",
        ("1712.04086",),
        scores=("mode_kl_judge",),
    ),
    Entry(
        "precision, recall",
        "Share of samples among the real images' neighbourhoods, and of real images among the "
        "samples'.",
        "Higher, up to 1: fidelity and variety apart.",
        "How dense; one outlier makes a large neighbourhood.",
        ("1904.06991",),
    ),
    Entry(
        "density, coverage",
        "How many real neighbourhoods a sample is in on average, and the share of real images "
        "with a sample in theirs.",
        "Higher; less swayed by outliers.",
        "Density is not bounded by 1.",
        ("2002.09797",),
    ),
    Entry(
        "class distance, classes present",
        "Total variation between the judge's class counts of samples and equal counts; number of "
        "classes with more than a tenth of an equal share (of ten classes: 1 %).",
        "Distance 0, every class.",
        "Whether what is drawn of a class varies.",
        scores=("class_distance_judge", "classes_judge"),
    ),
    Entry(
        "closer to train",
        "How often a sample lies closer to its nearest training image than a held-out image "
        "does; by pixels and by the judge's features.",
        "0.5 is as held-out images; far above hints at memorised images.",
        "Blurred or plain images are close to many, and copy none.",
        ("2004.05675",),
    ),
    Entry(
        "inverted MSE, PSNR, SSIM",
        "How close a model can come to held-out images, by a search of its latents: the same "
        "search for GANs and VAEs.",
        "Lower MSE; higher PSNR and SSIM.",
        "How good the search was: it bounds what the model can draw from one side. It rests on "
        "{images} images, the same for all runs; its interval is of seeds only.",
    ),
    Entry(
        "reconstruction",
        "Held-out images encoded and decoded by the posterior mean: models with an encoder only.",
        "Lower MSE and cross-entropy; higher PSNR and SSIM.",
        "Anything of samples.",
    ),
    Entry(
        "label kept",
        "How often the judge gives a reconstructed or inverted image the class of its original.",
        "Higher, up to 1.",
        "How close the images are. The judge also errs on originals.",
        scores=("label_kept_judge", "inverted_label_kept_judge"),
    ),
    Entry(
        "ELBO",
        "Evidence lower bound of one posterior sample an image, in nats.",
        "Higher.",
        "On grey values the Bernoulli one bounds no likelihood; one kind does not compare with "
        "another.",
        ("1312.6114",),
    ),
    Entry(
        "importance bound",
        "Tighter lower bound of the log-likelihood of binarised images, from many posterior "
        "samples.",
        "Higher.",
        "How good the samples look.",
        ("1509.00519",),
    ),
)


def glossary(inversion_images: int, measured: Collection[str]) -> list[Entry]:
    """The entries of what was measured.

    Args:
        inversion_images: how many images the inverted scores rest on.
        measured: the scores that any model has.
    """
    return [
        replace(entry, limits=entry.limits.format(images=inversion_images))
        for entry in GLOSSARY
        if not entry.scores or not set(entry.scores).isdisjoint(measured)
    ]
