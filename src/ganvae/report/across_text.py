"""The page that compares GAN and VAE across data sets, in Markdown."""

from collections.abc import Sequence
from pathlib import Path

from ganvae.core.files import write_text
from ganvae.report.across import DataSet, correlations, overall, places, untuned
from ganvae.report.across_headline import headline, pooled_text
from ganvae.report.budgets import times, unequal
from ganvae.report.differences import markdown_line
from ganvae.report.numbers import significant
from ganvae.report.scores import TIMES, estimated, failures, heading
from ganvae.report.tuning import NOT_SEARCHED, effort_text, tuning_of
from ganvae.report.verdicts import SIDES, noise_remarks, probability, spread, winner
from ganvae.scores.catalogue import COMPARED, PRIMARY
from ganvae.scores.comparison import Row
from ganvae.scores.matches import MATCHES
from ganvae.scores.statistics import Difference

HOW = (
    "FIDs are geometric means over seeds, with 95 % confidence intervals in brackets. The floor is "
    "the score of real training images. The ratio is the FID of the GAN divided by the FID of the "
    "VAE. With a ratio below 1, the GAN has the lower FID. On one data set, the interval of the "
    "ratio is Welch's, on a log scale. P(GAN better) is the probability that a random run of the "
    "GAN has a lower FID than a random run of the VAE. The last row has the geometric mean of the "
    "ratios, in which each data set has the same weight. Its interval comes from a stratified "
    "bootstrap: seeds are drawn anew within each data set and each side "
    "([2108.13264](https://arxiv.org/abs/2108.13264)). No test is made here. The test of the "
    "finalists is in the report of each data set."
)
FIGURE = (
    "Each circle is the FID ratio of the two finalists on one data set. A circle is coloured if "
    "the interval does not include 1. The diamond is the mean over the data sets. Bars are 95 % "
    "confidence intervals."
)
CRITERIA = (
    "These are the verdicts in the reports of the data sets, where the p-values are corrected for "
    "the number of criteria (Holm). Each cell names the finalist that is better by the criterion "
    "of the row. A cell is empty if the criterion was not measured for both finalists."
)
UNTUNED = (
    f"These GANs and VAEs use {NOT_SEARCHED} Each cell shows the **place** of the system on the "
    "data set, and then its FID. "
    "FIDs can be compared within a column, but not within a row."
)
LIMITS = "No test was made. Two systems with overlapping intervals may change places by chance."
NOT_SAID = (
    "Training budgets and models are small. With larger budgets or models, the ranking may change.",
    "Each data set has its own judge, a small network whose features the scores use. So FIDs "
    "cannot be compared with FIDs on other data sets or in papers. Equal ratios on two data sets "
    "need not mean equal differences in quality.",
    "A match or a sweep chooses a finalist by its FID on validation images. Another variant of its "
    "family, such as one tuned by hand or trained for longer, can have a lower FID in the data "
    "set's report. The ratio compares two variants, not all GANs with all VAEs.",
    "The intervals contain the noise of the seeds, but not the luck of a search. Another search of "
    "the same size may find other finalists. Each match's report has the chance of each family to "
    "be ahead after so many trials.",
    "The data sets were chosen, not drawn at random. So the mean ratio and its interval hold for "
    "these data sets and new seeds, and say nothing about other data sets.",
)


def write_across_markdown(path: Path, sets: Sequence[DataSet], picture: str) -> None:
    """Write the page across data sets, atomically, as a Markdown file at ``path``.

    Args:
        picture: the path of the forest plot, relative to the page.
    """
    lines = ["# GAN or VAE? Across data sets", "", f"**{headline(sets)}**", ""]
    lines += [f"![FID of GAN divided by FID of VAE on each data set]({picture})", "", FIGURE, ""]
    lines += ["## The finalists", "", *_efforts(sets)]
    lines += [*_finalists(sets), "", HOW, ""]
    lines += ["## Other criteria", "", CRITERIA, "", *_criteria(sets), "", *_noise(sets)]
    lines += ["## The untuned systems", "", UNTUNED, "", *_untuned(sets), "", agreement(sets)]
    lines += ["", "## What this does not say", "", *(f"- {text}" for text in NOT_SAID), ""]
    lines += ["## How it was measured", "", *_provenance(sets), ""]
    write_text(path, "\n".join(lines))


def _efforts(sets: Sequence[DataSet]) -> list[str]:
    """Markdown lines that say how large the tuning effort was on each data set."""
    tunings = [(dataset, tuning_of(dataset.params)) for dataset in sets]
    equal = [
        f"- {dataset.name}: {effort_text(origin.match)} for each family "
        f"([match]({MATCHES.name}/{origin.study}/report.md)). {tuning.outside}".rstrip()
        for dataset, tuning in tunings
        if (origin := tuning.match(dataset.params.finalists)) and origin.match
    ]
    lines = [
        f"- {dataset.name}: {tuning.unequal}. {tuning.outside}".rstrip()
        for dataset, tuning in tunings
        if tuning.unequal
    ]
    same = ["The tuning effort was the same for both families:", "", *equal, ""] if equal else []
    return same + (["The tuning effort differed as follows:", "", *lines, ""] if lines else [])


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
    """A ratio and its interval as text: ``0.571 [0.522, 0.626]``. Without interval: ``0.571``."""
    return " ".join(spread(difference)).rstrip()


def _finalists(sets: Sequence[DataSet]) -> list[str]:
    head = ["data set", "training images", "GAN, FID ↓", "VAE, FID ↓", "floor"]
    body = [
        [dataset.name, _images(dataset), *_fids(dataset), _seconds(dataset), *_effect(dataset)]
        for dataset in sets
    ]
    pooled = overall(sets)
    if pooled and pooled.sets > 1:
        mean = f"**mean over {pooled.sets} data sets**"
        body.append([mean, "", "", "", "", "", f"**{pooled_text(pooled)}**", ""])
    return _table(
        [*head, "training, GAN / VAE", "ratio [95 % CI]", "P(GAN better) [95 % CI]"], body
    )


def _seconds(dataset: DataSet) -> str:
    seconds = times(*dataset.rows())
    if seconds is None:
        return ""
    return f"{seconds[0]:,.0f} s / {seconds[1]:,.0f} s{' (unequal)' if unequal(seconds) else ''}"


def _images(dataset: DataSet) -> str:
    return f"{dataset.train_images:,} of {TIMES.join(map(str, dataset.image_shape))}"


def _fids(dataset: DataSet) -> list[str]:
    sides = dataset.params.finalists or ("", "")
    return [*(_finalist(dataset, variant) for variant in sides), _fid(dataset.row("floor"))]


def _finalist(dataset: DataSet, variant: str) -> str:
    if not variant:
        return "not named"
    row = dataset.row(variant)
    if row is None or PRIMARY not in row.scores:
        return f"`{variant}`: no score"
    n = row.scores[PRIMARY].n
    seeds = "1 seed" if n == 1 else f"{n} seeds"
    return f"`{variant}` {_fid(row)} ({', '.join(filter(None, [seeds, failures(row)]))})"


def _fid(row: Row | None) -> str:
    fid = row.scores.get(PRIMARY) if row else None
    return " ".join(estimated(PRIMARY, fid)).rstrip() if fid else ""


def _effect(dataset: DataSet) -> tuple[str, str]:
    difference = dataset.finalists
    if difference is None:
        return "no comparison", ""
    return ratio_text(difference) or "no ratio", " ".join(probability(difference)).rstrip()


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
    if difference is None:
        return ""
    side = winner(difference)
    return SIDES[side] if side else difference.verdict


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
    head = ["data set", "images, real / generated", "protocol"]
    head += ["data SHA-256", "judge SHA-256", "all numbers"]
    return _table(head, [_measured(dataset) for dataset in sets])


def _measured(dataset: DataSet) -> list[str]:
    record, profile = dataset.provenance, dataset.params.profile
    return [
        dataset.name,
        f"{record.n_real:,} / {record.n_generated:,} ({record.split})",
        f"version {record.protocol_version}",
        f"`{record.data_sha256[:16]}`",
        f"`{record.judge_sha256[:16]}`",
        f"[leaderboard]({profile}/leaderboard.md), [report]({profile}/report.html)",
    ]


def _table(head: list[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [markdown_line(head), markdown_line(["---"] * len(head)), *map(markdown_line, body)]
