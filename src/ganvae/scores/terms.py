"""The entries of the glossary, which explain the scores."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One entry of the glossary. Several scores may share an entry.

    Attributes:
        says: the meaning of the score.
        good: the good values of the score.
        limits: the questions that the score does not answer. ``{images}`` in this text stands for
            the number of images that inversion searches for.
        sources: arXiv numbers.
    """

    name: str
    says: str
    good: str
    limits: str
    sources: tuple[str, ...] = ()


FID = Term(
    "FID",
    "Fréchet distance between two Gaussians, one fitted to the judge's features of real images, "
    "one to those of generated images.",
    "Lower. Real training images score the floor.",
    "Whether fidelity or variety is lacking. With few images it is biased upwards. In a judge's "
    "features it does not compare with published FIDs.",
    ("1706.08500",),
)
FID_INFINITY = Term(
    "FID, N → ∞",
    "FID extrapolated to infinitely many generated images, along a straight line in 1/N.",
    "Lower.",
    "Nothing beyond that line. Near the floor it may fall below zero.",
    ("1911.07023",),
)
KID = Term(
    "KID",
    "Squared distance between the means of both sets under a cubic kernel. Unlike FID it has no "
    "bias in N. In Inception features it is printed times 1000.",
    "Lower. Real images score about 0.",
    "In what the sets differ. Values below 0 are noise.",
    ("1801.01401",),
)
INCEPTION_SCORE = Term(
    "IS",
    "How certain the judge is of each sample's class, and how varied the classes are.",
    "Higher, from 1 to the number of classes.",
    "Whether the images look real, or vary within a class.",
    ("1606.03498",),
)
PRECISION_RECALL = Term(
    "precision, recall",
    "Precision: the share of samples that lie within the neighbourhood of a real image. Recall: "
    "the share of real images that lie within the neighbourhood of a sample.",
    "Higher, up to 1. Precision measures fidelity, recall variety.",
    "How many images lie there. A single outlier makes a large neighbourhood.",
    ("1904.06991",),
)
DENSITY_COVERAGE = Term(
    "density, coverage",
    "Density: in how many real neighbourhoods a sample lies on average, divided by their size. "
    "Coverage: the share of real images that have a sample in their neighbourhood.",
    "Higher. Outliers matter less than for precision and recall.",
    "Density may exceed 1.",
    ("2002.09797",),
)
CLASSES = Term(
    "class distance, classes present",
    "Class distance: total variation between the judge's class counts and equal counts. Classes "
    "present: the number of classes with more than a tenth of an equal share (1 % of the samples "
    "for ten classes).",
    "Distance 0, and every class present.",
    "Whether the samples of one class vary.",
)
MODES = Term(
    "modes",
    "The number of the data's known modes that the judge assigns at least one sample to.",
    "Higher, up to all of them.",
    "How often each mode is drawn. One sample is enough, and the judge may be wrong about it. "
    "More samples find more modes.",
    ("1611.02163",),
)
KL_OF_MODES = Term(
    "KL of modes",
    "KL divergence between the samples' distribution over the modes and the uniform one, in nats.",
    "Lower, from 0 to the logarithm of the number of modes.",
    "Whether the images look real. Few samples cannot be even: a uniform model scores "
    "(modes − 1) / 2N on average, so only equal N compare.",
    ("1712.04086",),
)
CLOSER_TO_TRAIN = Term(
    "closer to train",
    "How often a sample lies closer to its nearest training image than a held-out image does, by "
    "pixels and by the judge's features.",
    "0.5, as for held-out images. Values far above 0.5 hint at memorised images.",
    "Blurred or plain images lie close to many training images and copy none.",
    ("2004.05675",),
)
RECONSTRUCTION = Term(
    "reconstruction",
    "Held-out images encoded, then decoded from the posterior mean. Only models with an encoder "
    "have it.",
    "Lower MSE and cross-entropy, higher PSNR and SSIM.",
    "Anything about samples.",
)
LABEL_KEPT = Term(
    "label kept",
    "How often the judge gives a reconstructed or inverted image the class of the original.",
    "Higher, up to 1.",
    "How close the images are. The judge also errs on originals.",
)
INVERSION = Term(
    "inverted MSE, PSNR, SSIM",
    "How close a model comes to held-out images when its latent space is searched for them. GANs "
    "and VAEs get the same search.",
    "Lower MSE and cross-entropy, higher PSNR and SSIM.",
    "Whether a better search would find closer images. All runs share the same {images} images, "
    "so the interval covers seeds only.",
)
ELBO = Term(
    "ELBO",
    "Evidence lower bound from one posterior sample per image, in nats.",
    "Higher.",
    "For grey values, the Bernoulli ELBO does not bound a likelihood. The kinds of ELBO do not "
    "compare with one another.",
    ("1312.6114",),
)
IMPORTANCE_BOUND = Term(
    "importance bound",
    "A tighter lower bound on the log-likelihood of binarised images, from many posterior samples "
    "per image.",
    "Higher.",
    "How good the samples look.",
    ("1509.00519",),
)
COST = Term(
    "cost",
    "Seconds spent in training, training images per second, the peak memory of the training "
    "process, and the number of trained parameters.",
    "Less time and memory, more images per second.",
    "How long training takes on other hardware.",
)
