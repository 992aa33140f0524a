"""The entries of the glossary, which explain the scores."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One entry of the glossary. Several scores may share an entry.

    Attributes:
        says: the meaning of the score.
        good: the good values of the score.
        limits: the questions that the score does not answer, and other limits. ``{images}`` in
            this text stands for the number of images that inversion searches for.
        sources: arXiv numbers.
    """

    name: str
    says: str
    good: str
    limits: str
    sources: tuple[str, ...] = ()


GEOMETRIC_MEAN = Term(
    "geometric mean",
    "The mean over seeds of scores whose spread grows with their size: the mean is taken of the "
    "logarithms. Its 95 % confidence interval is longer above than below, and never below zero.",
    "As for the score itself.",
    "A single very bad seed changes it less than an arithmetic mean. No interval of five seeds "
    "can show a rare collapse.",
)
RATIO = Term(
    "ratio",
    "The geometric mean of the GAN divided by that of the VAE.",
    "Below 1, the GAN is better if lower scores are better.",
    "The ratio does not say whether a person would see the difference. If the training times "
    "differ, it compares models and budgets.",
)
PROBABILITY = Term(
    "P(GAN better)",
    "The probability that a random run of the GAN has a better score than a random run of the VAE. "
    "Ties count half.",
    "0.5 favours no side. The difference is called meaningful if the whole interval lies above "
    "0.75, or below 0.25.",
    "The probability does not say how much better. With five seeds on each side, the interval "
    "cannot lie above 0.75.",
    ("2103.03098",),
)
VERDICT = Term(
    "equivalent, undecided, power",
    "Equivalent: two one-sided tests show that the ratio lies between 0.8 and 1.25. Undecided: "
    "neither a difference nor equivalence is shown. Power: the probability that the test would "
    "show a difference of a given size.",
    "A high power for small differences, which needs many seeds.",
    "Undecided does not mean equal. The power assumes that the measured spread between seeds is "
    "the true one.",
)
COMPARISONS = (GEOMETRIC_MEAN, RATIO, PROBABILITY, VERDICT)
"""The entries that explain how variants are compared."""

FID = Term(
    "FID",
    "The Fréchet distance between two Gaussians. One Gaussian is fitted to the judge's features of "
    "real images, and the other to the judge's features of generated images.",
    "Lower is better. The floor is the FID of real training images.",
    "FID does not say whether fidelity or variety is lacking. With few images, FID is biased "
    "upwards. FIDs in a judge's features cannot be compared with published FIDs.",
    ("1706.08500",),
)
FID_UNLABELLED = Term(
    "FID (second judge)",
    "FID in the features of a second judge, which was trained without labels: to tell how an image "
    "was rotated, blurred or made noisy.",
    "Lower is better. The floor is the FID of real training images.",
    "The second judge is stricter with blur than the first judge, and notices missing "
    "classes less. The two FIDs are on different scales, so compare only their orders.",
    ("1803.07728", "1706.08500"),
)
FID_INFINITY = Term(
    "FID, N → ∞",
    "FID, extrapolated to infinitely many generated images along a straight line in 1/N.",
    "Lower is better.",
    "The extrapolation is only as good as the straight line. Near the floor, the score may fall "
    "below zero.",
    ("1911.07023",),
)
KID = Term(
    "KID",
    "The squared distance between the means of real and generated images under a cubic kernel. "
    "Unlike FID, KID has no bias in N. In Inception features, KID is printed times 1000.",
    "Lower is better. Real images score about 0.",
    "KID does not say how the two sets of images differ. Values below 0 are noise.",
    ("1801.01401",),
)
INCEPTION_SCORE = Term(
    "IS",
    "The Inception Score measures how certain the judge is of the class of each sample, and how "
    "varied the classes are.",
    "Higher is better, from 1 to the number of classes.",
    "IS does not say whether the images look real, or whether they vary within a class.",
    ("1606.03498",),
)
PRECISION_RECALL = Term(
    "precision, recall",
    "Precision is the share of samples that lie within the neighbourhood of a real image. Recall "
    "is the share of real images that lie within the neighbourhood of a sample.",
    "Higher is better, up to 1. Precision measures fidelity, and recall measures variety.",
    "The scores do not say how many images lie in a neighbourhood. A single outlier makes a large "
    "neighbourhood.",
    ("1904.06991",),
)
DENSITY_COVERAGE = Term(
    "density, coverage",
    "Density is the mean number of real neighbourhoods that a sample lies in, divided by the "
    "number of neighbours in a neighbourhood. Coverage is the share of real images that have a "
    "sample in their neighbourhood.",
    "Higher is better. Outliers matter less than for precision and recall.",
    "Density may exceed 1.",
    ("2002.09797",),
)
CLASSES = Term(
    "class distance, classes present",
    "Class distance is the total variation between the judge's class counts and equal counts. "
    "Classes present is the number of classes with more than a tenth of an equal share (1 % of the "
    "samples for ten classes).",
    "The best class distance is 0. The best number of classes present is the number of all "
    "classes.",
    "These scores do not say whether the samples of one class vary.",
)
MODES = Term(
    "modes",
    "The number of known modes of the data to which the judge assigns at least one sample.",
    "Higher is better, up to the number of all modes.",
    "The score does not say how often each mode is drawn. One sample is enough, and the judge may "
    "be wrong about this sample. More samples find more modes.",
    ("1611.02163",),
)
KL_OF_MODES = Term(
    "KL of modes",
    "The KL divergence between the distribution of the samples over the modes and the uniform "
    "distribution, in nats.",
    "Lower is better, from 0 to the logarithm of the number of modes.",
    "The score does not say whether the images look real. Few samples cannot be even: a uniform "
    "model scores (modes − 1) / 2N on average. So scores can be compared only for equal N.",
    ("1712.04086",),
)
CLOSER_TO_TRAIN = Term(
    "closer to train",
    "How often a sample lies closer to its nearest training image than a held-out image lies to "
    "its nearest training image, by pixels and by the judge's features.",
    "The best value is 0.5, the value of held-out images. Values far above 0.5 hint at memorised "
    "images.",
    "Blurred or plain images lie close to many training images, but copy no training image.",
    ("2004.05675",),
)
FLD = Term(
    "FLD, FLD gap",
    "A density of images is a mixture of Gaussians around the samples, whose widths are fitted to "
    "training images. FLD says how much less likely test images are under this density than under "
    "a density around real images. The gap is the log-likelihood of test images minus that of "
    "training images. Both are in hundredths of a nat per feature.",
    "Lower FLD is better, and real images score about 0. The best gap is about 0. A gap far below "
    "0 means that samples are copies of training images.",
    "FLD sees only images that the judge's features can tell apart. A few copies among many "
    "samples hardly move the gap. Compare scores only for equal numbers of images.",
    ("2302.04440",),
)
VENDI = Term(
    "Vendi score",
    "The effective number of different samples: the exponential of the entropy of the eigenvalues "
    "of the similarity matrix. The similarity of two samples is the cosine of the angle between "
    "their features.",
    "Higher means more varied. Compare the score with the floor, the score of real images.",
    "The score does not use real images. Noise can score as high as real images. The score grows "
    "with the number of samples.",
    ("2210.02410",),
)
RECONSTRUCTION = Term(
    "reconstruction",
    "How close held-out images are to their reconstructions. A reconstruction is decoded from the "
    "mean of the posterior. Only models with an encoder have these scores. PSNR is the mean of the "
    "images' PSNRs. SSIM compares windows of 11 x 11 pixels that lie within the image.",
    "Lower MSE and cross-entropy are better, and higher PSNR and SSIM.",
    "The scores say nothing about samples. Other programs may give other values: some compute PSNR "
    "from the mean MSE, or SSIM with padded borders.",
)
LABEL_KEPT = Term(
    "label kept",
    "How often the judge gives a reconstructed or inverted image the class of the original.",
    "Higher is better, up to 1.",
    "The score does not say how close the images are. The judge also errs on originals.",
)
INVERSION = Term(
    "inverted MSE, PSNR, SSIM",
    "How close the images of a model come to held-out images. For each held-out image, a search in "
    "latent space looks for the closest image. The search is the same for GANs and VAEs.",
    "Lower MSE and cross-entropy are better, and higher PSNR and SSIM.",
    "A better search may find closer images. All runs share the same {images} images, so the "
    "interval covers only the noise between seeds.",
)
ELBO = Term(
    "ELBO",
    "The evidence lower bound from one posterior sample per image, in nats.",
    "Higher is better.",
    "For grey values, the Bernoulli ELBO does not bound a likelihood. The kinds of ELBO cannot be "
    "compared with each other.",
    ("1312.6114",),
)
IMPORTANCE_BOUND = Term(
    "importance bound",
    "A tighter lower bound on the log-likelihood of binarised images, from many posterior samples "
    "per image.",
    "Higher is better.",
    "The bound does not say how good the samples look.",
    ("1509.00519",),
)
BUDGET = Term(
    "share of own budget",
    "The number of training images of a run, divided by the number in the default schedule of its "
    "system. The defaults follow the source of the system.",
    "A variant with a small share was stopped long before its own budget.",
    "The share does not say how many training images the variant needs.",
)
COST = Term(
    "cost",
    "The seconds spent in training, the training images per second, the peak memory of the "
    "training process, and the number of trained parameters. What a model fits for its sampling "
    "counts as training, so it lowers the images per second.",
    "Less time and memory are better, and more images per second.",
    "The scores do not say how long training takes on other hardware.",
)
