"""The page that compares GAN and VAE across data sets, in Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ganvae.core.files import write_text
from ganvae.report.across import DataSet, correlations, places, ratio, untuned
from ganvae.report.answer import SIDES
from ganvae.report.differences import markdown_line
from ganvae.report.numbers import duration, listed, p_value, significant
from ganvae.report.scores import TIMES, estimated, failures, heading
from ganvae.report.verdicts import TOO_FEW, noise_remarks, shortages, winner
from ganvae.scores.catalogue import COMPARED, PRIMARY
from ganvae.scores.comparison import Row
from ganvae.scores.statistics import Difference

Standing = Literal[
    "GAN ahead", "VAE ahead", "no difference shown", "too few seeds", "no comparison"
]

UNDECIDED: dict[Standing, str] = {
    "no difference shown": "no difference is shown",
    "too few seeds": "there are too few seeds to tell which side is ahead",
    "no comparison": "a GAN or a VAE with a score is missing",
}
HOW = (
    "Each FID is the mean over seeds ± half the width of its 95 % confidence interval (CI, "
    "Student's t). The floor is the score of real training images. The ratio is the FID of the GAN "
    "divided by the FID of the VAE, both as geometric means over seeds. With a ratio below 1, the "
    "GAN has the lower FID. The 95 % CI of the ratio is Welch's interval for the difference in log "
    "FID, not corrected for multiple comparisons. The p-value of an exact two-sided Mann-Whitney "
    "test is corrected for the number of data sets (Holm), unlike in reports of single data sets."
)
FIGURE = (
    "Each circle is the FID ratio of the two finalists on one data set, computed from one FID per "
    "seed. A circle is coloured if one finalist is shown to be ahead. Bars are 95 % confidence "
    "intervals."
)
CRITERIA = (
    "On each data set, the two finalists are compared by exact rank tests, one per criterion. The "
    "p-values are corrected for the number of criteria (Holm), separately for each data set. Each "
    "cell names the finalist that is ahead by the criterion of the row. A cell is empty if the "
    "criterion was not measured for both finalists."
)
UNTUNED = (
    "These GANs and VAEs use the parameters of their sources, scaled down by hand to fit the "
    "training time. Each cell shows the **place** of the system on the data set, and then its FID. "
    "FIDs can be compared within a column, but not within a row."
)
LIMITS = "No test was made. Two systems with overlapping intervals may change places by chance."
NOT_SAID = (
    "Training budgets and models are small. With larger budgets or models, the ranking may change.",
    "Each data set has its own judge, a small network whose features the scores use. So FIDs "
    "cannot be compared with FIDs on other data sets or in papers. Equal ratios on two data sets "
    "need not mean equal differences in quality.",
    "The finalists are the best of the variants that were tried, by hand or by a sweep. "
    "Their ratio compares two variants, not all GANs with all VAEs.",
    "The data sets were chosen, not drawn at random. So the number of data sets on which one side "
    "is ahead says nothing about other data sets.",
)


def write_across_markdown(path: Path, sets: Sequence[DataSet], picture: str) -> None:
    """Write the page across data sets, atomically, as a Markdown file at ``path``.

    Args:
        picture: the path of the forest plot, relative to the page.
    """
    lines = ["# GAN or VAE? Across data sets", "", f"**{headline(sets)}**", ""]
    lines += [f"![FID of GAN divided by FID of VAE on each data set]({picture})", "", FIGURE, ""]
    lines += ["## The finalists", "", *_efforts(sets)]
    lines += [*_finalists(sets), "", HOW, "", *_shortages(sets)]
    lines += ["## Other criteria", "", CRITERIA, "", *_criteria(sets), "", *_noise(sets)]
    lines += ["## The untuned systems", "", UNTUNED, "", *_untuned(sets), "", agreement(sets)]
    lines += ["", "## What this does not say", "", *(f"- {text}" for text in NOT_SAID), ""]
    lines += ["## How it was measured", "", *_provenance(sets), ""]
    write_text(path, "\n".join(lines))


def headline(sets: Sequence[DataSet]) -> str:
    """Sentences that say on how many data sets the GAN, the VAE or neither of them is ahead."""
    by_standing: dict[Standing, list[str]] = {}
    for dataset in sets:
        by_standing.setdefault(standing(dataset.finalists), []).append(dataset.name)
    rest = [
        f"On {_named(by_standing[key])}, {words}."
        for key, words in UNDECIDED.items()
        if key in by_standing
    ]
    gan, vae = by_standing.get("GAN ahead", []), by_standing.get("VAE ahead", [])
    sentences = [f"At these training budgets, {_ahead(sets, gan, vae)}.", *rest]
    return f"{_effort(sets)}{' '.join(sentences)}{_diverged(sets)}"


def _effort(sets: Sequence[DataSet]) -> str:
    """A sentence that names the data sets with unequal tuning effort; "" if all effort is equal."""
    unequal = [dataset.name for dataset in sets if dataset.params.effort]
    if not unequal:
        return ""
    where = _whole(sets, "all") if len(unequal) == len(sets) else listed(unequal)
    return f"The question is not settled, because the tuning effort was unequal on {where}. "


def _efforts(sets: Sequence[DataSet]) -> list[str]:
    """Markdown lines that say on which data sets the tuning effort differed, and how."""
    lines = [
        f"- {dataset.name}: {effort.unequal}. {effort.outside}".rstrip()
        for dataset in sets
        if (effort := dataset.params.effort)
    ]
    return ["The tuning effort differed as follows:", "", *lines, ""] if lines else []


def _ahead(sets: Sequence[DataSet], gan: list[str], vae: list[str]) -> str:
    tuned = "tuned " if all({*s.params.finalists} <= {*s.params.tuned} for s in sets) else ""
    sides = [(f"the {tuned}GAN", gan), (f"the {tuned}VAE", vae)]
    (first, names), (second, others) = sides[::-1] if vae and not gan else sides
    if not names:
        whole = _whole(sets, "any of the")
        return f"neither {first} nor {second} is shown to be ahead by FID on {whole}"
    if len(names) == len(sets):
        return f"{first} is ahead by FID on {_whole(sets, 'all')}"
    share = f"{len(names)} of {len(sets)} data sets ({listed(names)})"
    return f"{first} is ahead by FID on {share}, and {second} is ahead on {_named(others)}"


def _whole(sets: Sequence[DataSet], words: str) -> str:
    return "the one data set" if len(sets) == 1 else f"{words} {len(sets)} data sets"


def _named(names: list[str]) -> str:
    plural = "" if len(names) == 1 else "s"
    return f"{len(names)} data set{plural} ({listed(names)})" if names else "no data set"


def _diverged(sets: Sequence[DataSet]) -> str:
    rows = [_row(dataset, variant) for dataset in sets for variant in dataset.params.finalists]
    diverged = any(row and row.diverged for row in rows)
    return " Diverged runs are left out." if diverged else ""


def standing(difference: Difference | None) -> Standing:
    """The side that is shown to be ahead, or the reason why no side is shown to be ahead."""
    if difference is None:
        return "no comparison"
    if difference.verdict == TOO_FEW:
        return "too few seeds"
    side = winner(difference)
    if side is None:
        return "no difference shown"
    return "GAN ahead" if SIDES[side] == "GAN" else "VAE ahead"


def agreement(sets: Sequence[DataSet]) -> str:
    """Sentences on how similar the rankings of the untuned systems are on different data sets."""
    systems, rhos = correlations(untuned(sets))
    if not rhos:
        return (
            "The similarity of the rankings cannot be measured, because this needs at least two "
            "data sets, and at least three systems with a score on every data set."
        )
    mean = significant(sum(rhos) / len(rhos), 2)
    correlation = f"is {mean}"
    if len(rhos) > 1:
        low, high = significant(min(rhos), 2), significant(max(rhos), 2)
        correlation += f" on average over {len(rhos)} pairs of data sets ({low} to {high})"
    return (
        f"For the {systems} systems with a score on every data set, Spearman's rank correlation "
        f"between two data sets {correlation}. A value of 1 means the same ranking, and −1 means "
        f"the reverse ranking. {LIMITS}"
    )


def ratio_text(difference: Difference) -> str:
    """A ratio and its interval as text: ``0.571 (0.522 to 0.626)``. Without interval: ``0.571``."""
    middle, low, high = ratio(difference)
    if low is None or high is None:
        return significant(middle)
    return f"{significant(middle)} ({significant(low)} to {significant(high)})"


def _finalists(sets: Sequence[DataSet]) -> list[str]:
    head = ["data set", "training images", "GAN, FID ↓", "VAE, FID ↓", "floor"]
    body = [
        [dataset.name, _images(dataset), *_fids(dataset), *_verdict(dataset.finalists)]
        for dataset in sets
    ]
    return _table([*head, "ratio (95 % CI)", "p", "verdict"], body)


def _images(dataset: DataSet) -> str:
    return f"{dataset.train_images:,} of {TIMES.join(map(str, dataset.image_shape))}"


def _fids(dataset: DataSet) -> list[str]:
    sides = dataset.params.finalists or ("", "")
    return [*(_finalist(dataset, variant) for variant in sides), _fid(_row(dataset, "floor"))]


def _finalist(dataset: DataSet, variant: str) -> str:
    if not variant:
        return "not named"
    row = _row(dataset, variant)
    if row is None or PRIMARY not in row.scores:
        return f"`{variant}`: no score"
    n = row.scores[PRIMARY].n
    seeds = "1 seed" if n == 1 else f"{n} seeds"
    return f"`{variant}` {_fid(row)} ({', '.join(filter(None, [seeds, failures(row)]))})"


def _fid(row: Row | None) -> str:
    fid = row.scores.get(PRIMARY) if row else None
    return " ".join(estimated(PRIMARY, fid)).rstrip() if fid else ""


def _verdict(difference: Difference | None) -> list[str]:
    if difference is None:
        return ["", "", standing(difference)]
    p = p_value(difference.p_holm).removeprefix("p ").removeprefix("= ")
    return [ratio_text(difference), p, standing(difference)]


def _shortages(sets: Sequence[DataSet]) -> list[str]:
    sentences = shortages([dataset.finalists for dataset in sets if dataset.finalists])
    return [line for text in sentences for line in (f"{text[:1].upper()}{text[1:]}", "")]


def _criteria(sets: Sequence[DataSet]) -> list[str]:
    by_set = [
        {difference.score: difference for difference in dataset.comparison.finalists}
        for dataset in sets
    ]
    body = [
        [heading(score), *(_short(differences.get(score)) for differences in by_set)]
        for score in COMPARED
        if score != PRIMARY and any(score in differences for differences in by_set)
    ]
    return _table(["criterion", *(dataset.name for dataset in sets)], body)


def _noise(sets: Sequence[DataSet]) -> list[str]:
    remarks = [
        f"- {dataset.name}: {text[:1].lower()}{text[1:]}"
        for dataset in sets
        for text in noise_remarks(dataset.comparison)
    ]
    return [*remarks, ""] if remarks else []


def _short(difference: Difference | None) -> str:
    return standing(difference).removesuffix(" ahead") if difference else ""


def _untuned(sets: Sequence[DataSet]) -> list[str]:
    fids = untuned(sets)
    families = {row.variant: row.family for dataset in sets for row in dataset.comparison.rows}
    body = [
        [
            f"`{system}` ({families[system].upper()})",
            *(
                f"**{place}** · {' '.join(estimated(PRIMARY, fid)).rstrip()}" if fid else ""
                for place, fid in zip(placed, fids[system], strict=True)
            ),
        ]
        for system, placed in places(fids).items()
    ]
    return _table(["system", *(dataset.name for dataset in sets)], body)


def _provenance(sets: Sequence[DataSet]) -> list[str]:
    head = ["data set", "training per run (GAN, VAE)", "images, real / generated", "protocol"]
    head += ["data SHA-256", "judge SHA-256", "all numbers"]
    return _table(head, [_measured(dataset) for dataset in sets])


def _measured(dataset: DataSet) -> list[str]:
    record, profile = dataset.provenance, dataset.params.profile
    rows = [_row(dataset, variant) for variant in dataset.params.finalists]
    times = [row.scores["train_seconds"] for row in rows if row and "train_seconds" in row.scores]
    return [
        dataset.name,
        ", ".join(duration(time.mean) for time in times),
        f"{record.n_real:,} / {record.n_generated:,} ({record.split})",
        f"version {record.protocol_version}",
        f"`{record.data_sha256[:16]}`",
        f"`{record.judge_sha256[:16]}`",
        f"[leaderboard]({profile}/leaderboard.md), [report]({profile}/report.html)",
    ]


def _row(dataset: DataSet, variant: str) -> Row | None:
    return next((row for row in dataset.comparison.rows if row.variant == variant), None)


def _table(head: list[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [markdown_line(head), markdown_line(["---"] * len(head)), *map(markdown_line, body)]
