"""The page across data sets, in Markdown."""

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

Standing = Literal["GAN ahead", "VAE ahead", "none shown", "too few seeds", "no comparison"]

UNDECIDED: dict[Standing, str] = {
    "none shown": "no difference is shown",
    "too few seeds": "the seeds are too few to tell",
    "no comparison": "a GAN and a VAE with scores are not both there",
}
HOW = (
    "Ratio: FID of the GAN over FID of the VAE, geometric means over seeds; below 1 the GAN is "
    "ahead. Its 95 % interval is Welch's, of the difference of the mean logarithms, each by "
    "itself. p: exact Mann-Whitney test, two-sided, corrected over the data sets (Holm); the "
    "reports' own tests are not. FID ± half of its 95 % interval (Student). The floor is what real "
    "training images score."
)
FIGURE = (
    "Circles: the finalists, a value a seed, coloured where one is shown to be ahead. Diamonds: "
    "all GANs against all VAEs, a value a model, but for variants set aside. Bars: 95 % intervals."
)
CRITERIA = (
    "Which finalist is ahead by the other criteria, each profile's tested by itself (exact rank "
    "tests, corrected over these criteria by Holm). Empty: not measured on both sides."
)
UNTUNED = (
    "GANs and VAEs with their sources' parameters, scaled down by hand to the time there is: "
    "**place** among them and FID. FIDs compare down a column, not along a line."
)
LIMITS = (
    "This describes these orders and tests nothing: the models are few, and neighbours whose "
    "intervals overlap may change places by chance."
)
NOT_SAID = (
    "Budgets are short and the models small: with more, the order may be another.",
    "Each data set has a judge of its own, a small network. FIDs in its features compare neither "
    "between data sets nor with those of papers, and the same ratio need not mean the same gain.",
    "The finalists are the best of what was tried, by hand or by a sweep: a ratio is of two "
    "models, not of all GANs and VAEs.",
    "The data sets were picked, not drawn: their counts say nothing of others.",
)


def write_across_markdown(path: Path, sets: Sequence[DataSet], picture: str) -> None:
    """Write the page, atomically.

    Args:
        picture: the figure's address, from the page.
    """
    lines = ["# GAN or VAE? Across data sets", "", f"**{headline(sets)}**", ""]
    lines += [f"![FID of GAN over FID of VAE on each data set]({picture})", "", FIGURE, ""]
    lines += ["## The finalists", "", *_efforts(sets)]
    lines += [*_finalists(sets), "", HOW, "", *_shortages(sets)]
    lines += ["## Other criteria", "", CRITERIA, "", *_criteria(sets), "", *_noise(sets)]
    lines += ["## The systems, not tuned", "", UNTUNED, "", *_untuned(sets), "", agreement(sets)]
    lines += ["", "## What this does not say", "", *(f"- {text}" for text in NOT_SAID), ""]
    lines += ["## What it was measured with", "", *_provenance(sets), ""]
    write_text(path, "\n".join(lines))


def headline(sets: Sequence[DataSet]) -> str:
    """On how many data sets each side is shown to be ahead, and what becomes of the others."""
    by_standing: dict[Standing, list[str]] = {}
    for one in sets:
        by_standing.setdefault(standing(one.finalists), []).append(one.name)
    rest = [
        f"on {_named(by_standing[key])} {words}"
        for key, words in UNDECIDED.items()
        if key in by_standing
    ]
    gan, vae = by_standing.get("GAN ahead", []), by_standing.get("VAE ahead", [])
    said = "; ".join(filter(None, [_ahead(sets, gan, vae), ", ".join(rest)]))
    return f"{_effort(sets)}At these budgets {said}.{_diverged(sets)}"


def _effort(sets: Sequence[DataSet]) -> str:
    """Where the finalists were not tuned with equal effort; "" if nowhere."""
    unequal = [one.name for one in sets if one.params.effort]
    if not unequal:
        return ""
    where = _whole(sets, "all") if len(unequal) == len(sets) else listed(unequal)
    return f"Not settled, for the effort that went into the finalists was unequal on {where}. "


def _efforts(sets: Sequence[DataSet]) -> list[str]:
    """What is known of the efforts, a line per data set."""
    lines = [
        f"- {one.name}: {one.params.effort.unequal}. {one.params.effort.outside}".rstrip()
        for one in sets
        if one.params.effort
    ]
    return ["How the effort was unequal:", "", *lines, ""] if lines else []


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
    return f"{first} is ahead by FID on {share}, {second} on {_named(others)}"


def _whole(sets: Sequence[DataSet], words: str) -> str:
    return "the one data set" if len(sets) == 1 else f"{words} {len(sets)} data sets"


def _named(names: list[str]) -> str:
    return f"{len(names)} ({listed(names)})" if names else "none"


def _diverged(sets: Sequence[DataSet]) -> str:
    rows = [_row(one, model) for one in sets for model in one.params.finalists]
    lost = any(row and row.diverged for row in rows)
    return " This is of the runs that did not diverge." if lost else ""


def standing(one: Difference | None) -> Standing:
    """Whom a difference shows to be ahead, or why nobody."""
    if one is None:
        return "no comparison"
    if one.verdict == TOO_FEW:
        return "too few seeds"
    side = winner(one)
    if side is None:
        return "none shown"
    return "GAN ahead" if SIDES[side] == "GAN" else "VAE ahead"


def agreement(sets: Sequence[DataSet]) -> str:
    """How alike the orders of the untuned systems are from data set to data set."""
    models, rhos = correlations(untuned(sets))
    if not rhos:
        return "How stable the order is cannot be said: that takes three models on two data sets."
    mean = significant(sum(rhos) / len(rhos), 2)
    found = f"is {mean}"
    if len(rhos) > 1:
        low, high = significant(min(rhos), 2), significant(max(rhos), 2)
        found += f" on average over {len(rhos)} pairs ({low} to {high})"
    return (
        f"Of the {models} models that every data set has, Spearman's rank correlation between two "
        f"data sets {found}; 1 is the same order, −1 the reverse. {LIMITS}"
    )


def ratio_text(one: Difference) -> str:
    """``0.571 (0.522 to 0.626)``; without an interval where there is none."""
    middle, low, high = ratio(one)
    if low is None or high is None:
        return significant(middle)
    return f"{significant(middle)} ({significant(low)} to {significant(high)})"


def _finalists(sets: Sequence[DataSet]) -> list[str]:
    head = ["data set", "training images", "GAN, FID ↓", "VAE, FID ↓", "floor"]
    body = [[one.name, _images(one), *_fids(one), *_verdict(one.finalists)] for one in sets]
    return _table([*head, "ratio, 95 % interval", "p", "verdict"], body)


def _images(one: DataSet) -> str:
    return f"{one.train_images:,} of {TIMES.join(map(str, one.image_shape))}"


def _fids(one: DataSet) -> list[str]:
    sides = one.params.finalists or ("", "")
    return [*(_finalist(one, model) for model in sides), _fid(_row(one, "floor"))]


def _finalist(one: DataSet, model: str) -> str:
    if not model:
        return "none is named"
    row = _row(one, model)
    if row is None or PRIMARY not in row.scores:
        return f"`{model}`: no score"
    n = row.scores[PRIMARY].n
    seeds = "1 seed" if n == 1 else f"{n} seeds"
    return f"`{model}` {_fid(row)} ({', '.join(filter(None, [seeds, failures(row)]))})"


def _fid(row: Row | None) -> str:
    fid = row.scores.get(PRIMARY) if row else None
    return " ".join(estimated(PRIMARY, fid)).rstrip() if fid else ""


def _verdict(one: Difference | None) -> list[str]:
    if one is None:
        return ["", "", standing(one)]
    p = p_value(one.p_holm).removeprefix("p ").removeprefix("= ")
    return [ratio_text(one), p, standing(one)]


def _shortages(sets: Sequence[DataSet]) -> list[str]:
    sentences = shortages([one.finalists for one in sets if one.finalists])
    return [line for text in sentences for line in (f"{text[:1].upper()}{text[1:]}", "")]


def _criteria(sets: Sequence[DataSet]) -> list[str]:
    found = [{one.score: one for one in each.comparison.finalists} for each in sets]
    body = [
        [heading(score), *(_short(differences.get(score)) for differences in found)]
        for score in COMPARED
        if score != PRIMARY and any(score in differences for differences in found)
    ]
    return _table(["criterion", *(one.name for one in sets)], body)


def _noise(sets: Sequence[DataSet]) -> list[str]:
    remarks = [
        f"- {one.name}: {text[:1].lower()}{text[1:]}"
        for one in sets
        for text in noise_remarks(one.comparison)
    ]
    return [*remarks, ""] if remarks else []


def _short(one: Difference | None) -> str:
    return standing(one).removesuffix(" ahead") if one else ""


def _untuned(sets: Sequence[DataSet]) -> list[str]:
    fids = untuned(sets)
    families = {row.variant: row.family for one in sets for row in one.comparison.rows}
    body = [
        [
            f"`{model}` ({families[model].upper()})",
            *(
                f"**{place}** · {' '.join(estimated(PRIMARY, fid)).rstrip()}" if fid else ""
                for place, fid in zip(placed, fids[model], strict=True)
            ),
        ]
        for model, placed in places(fids).items()
    ]
    return _table(["system", *(one.name for one in sets)], body)


def _provenance(sets: Sequence[DataSet]) -> list[str]:
    head = ["data set", "training a run (GAN, VAE)", "images, real / generated", "protocol"]
    head += ["data SHA-256", "judge SHA-256", "all numbers"]
    return _table(head, [_measured(one) for one in sets])


def _measured(one: DataSet) -> list[str]:
    record, profile = one.provenance, one.params.profile
    rows = [_row(one, model) for model in one.params.finalists]
    times = [row.scores["train_seconds"] for row in rows if row and "train_seconds" in row.scores]
    return [
        one.name,
        ", ".join(duration(time.mean) for time in times),
        f"{record.n_real:,} / {record.n_generated:,} ({record.split})",
        f"version {record.protocol_version}",
        f"`{record.data_sha256[:16]}`",
        f"`{record.judge_sha256[:16]}`",
        f"[leaderboard]({profile}/leaderboard.md), [report]({profile}/report.html)",
    ]


def _row(one: DataSet, model: str) -> Row | None:
    return next((row for row in one.comparison.rows if row.variant == model), None)


def _table(head: list[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [markdown_line(head), markdown_line(["---"] * len(head)), *map(markdown_line, body)]
