"""Write docs/results.md from results/: `make docs`.

All numbers come from committed files: the leaderboards, the comparisons, the page across data sets
and the parameters of each profile.
"""

import csv
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from ganvae.config import Params, load_params
from ganvae.report.budgets import unequal
from ganvae.report.differences import markdown_line
from ganvae.report.numbers import listed
from ganvae.report.own_budgets import in_both, own_budgets_section
from ganvae.report.scores import REFERENCES, estimated, heading, printed
from ganvae.report.tuning import effort_text, tuning_of
from ganvae.report.verdicts import probability, spread, tested, verdict
from ganvae.scores.comparison import compare
from ganvae.scores.intervals import Estimate
from ganvae.scores.records import read_records
from ganvae.scores.statistics import Difference, turned

ROOT = Path(__file__).parent.parent
PAGE = Path(__file__).with_name("results.md")

SECOND = "fid_unlabelled"
SCORES = ("fid_judge", SECOND, "kid_judge", "precision_judge", "recall_judge", "coverage_judge")
MODES = ("modes_judge", "mode_kl_judge")
BOUND = ("importance_bound_binarised",)
COST = ("train_seconds",)

PAIR_HEADS = (
    "tuning effort", "GAN", "FID ↓", "VAE", "FID ↓", "second judge, GAN / VAE",
    "training, s, GAN / VAE", "ratio [95 % CI]", "P(GAN better) [95 % CI]", "p", "verdict",
)  # fmt: skip

Row = dict[str, str]

PROFILES = {
    "laptop": ("MNIST", SCORES + COST),
    "fashion": ("Fashion-MNIST", SCORES + COST),
    "faces": ("Faces (LFW)", SCORES + COST),
    "stacked": ("Stacked MNIST", SCORES + MODES + COST),
    "full": ("The systems at their own budgets", SCORES + COST),
    "likelihood": ("Likelihood of binarised MNIST", ("fid_judge", *BOUND, "recall_judge", *COST)),
}
"""By profile: the section's title and the scores in its table."""
COMPARED = ("laptop", "fashion", "faces", "stacked")
"""The profiles on the page across data sets."""

INTRODUCTION = """\
<!-- `make docs` writes this page from results/. Edit docs/make_results.py instead. -->
# Results

This page shows the main scores of each profile. A *profile* is a parameter file with the
experiments on one data set. A *system* is an architecture. A *variant* is a system with its own
parameters and name. The section of each profile links to the full leaderboard, to the comparison of
every pair of variants, and to the report. [Reading the numbers](reading-the-numbers.md) explains
each score.

- Each cell shows the mean over random seeds, with its 95 % confidence interval in brackets. Means
  of FID, KL of modes and MSE are geometric. A variant with one seed has no interval.
- ↓ means that lower is better, and ↑ means that higher is better.
- The *judge* is a small classifier whose features the scores use. The *floor* is the score of real
  training images, and the *ceiling* is the score of noise.
- † marks tuned variants. Below each table, a sentence says how their parameters were chosen.

In most sections, a table compares pairs of a GAN and a VAE:

- The column "ratio" shows the FID of the GAN divided by the FID of the VAE. A ratio below 1 means
  that the GAN has the lower FID.
- P(GAN better) is the probability that a random run of the GAN has a lower FID than a random run of
  the VAE.
- The *second judge* was trained without labels. It reacts more to blur than the judge. Its FIDs
  cannot be compared with those of the judge.
- The *finalists* are the GAN and the VAE that represent their families on a data set. Their test
  was planned in advance, so its p-value is not corrected.
- The p-values of all other pairs in a profile are corrected together. With this correction, many
  pairs have too few seeds for any test.
- The training times are means per run. A time is marked as unequal if the times of the GAN and the
  VAE differ by more than 10 %."""


def params_of(profile: str) -> Params:
    """The parameters of a profile."""
    path = "params.yaml" if profile == "laptop" else f"profiles/{profile}/params.yaml"
    return load_params(ROOT / path)


def leaderboard(profile: str) -> list[Row]:
    """The rows of a profile's leaderboard, in its order."""
    with (ROOT / f"results/{profile}/leaderboard.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def comparison(profile: str) -> dict[str, Any]:
    """The differences and tests of a profile."""
    return json.loads((ROOT / f"results/{profile}/comparison.json").read_text(encoding="utf-8"))


def table(head: Iterable[str], rows: Iterable[Iterable[str]], words: int = 1) -> str:
    """A Markdown table whose first columns are ``words`` and whose others are numbers."""
    head = list(head)
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    return "\n".join(markdown_line(cells) for cells in (head, rule, *rows))


def cell(row: Row, score: str) -> str:
    """A mean with its interval; empty if the score does not apply to the variant."""
    if not row[score]:
        return ""
    low, high = (
        float(end) if (end := row[f"{score}{part}"]) else None for part in ("_low", "_high")
    )
    values = tuple(map(float, row[f"{score}_seeds"].split()))
    return " ".join(estimated(score, Estimate(float(row[score]), low, high, values))).rstrip()


def score_table(rows: Iterable[Row], scores: Iterable[str], tuned: Collection[str]) -> str:
    """The table of some scores of a leaderboard's rows."""
    rows = list(rows)
    scores = [score for score in scores if any(row.get(score) for row in rows)]
    body = []
    for row in rows:
        name = REFERENCES.get(row["variant"], f"`{row['variant']}`")
        mark = " †" if row["variant"] in tuned else ""
        seeds = sum(int(row[status]) for status in ("completed", "collapsed", "diverged"))
        cells = (cell(row, score) for score in scores)
        body.append([name + mark, row["family"], *cells, str(seeds)])
    return table(["variant", "family", *map(heading, scores), "seeds"], body, words=2)


def best(rows: Iterable[Row], family: str, variants: Collection[str]) -> Row | None:
    """The row with the lowest FID of a family among some variants."""
    candidates = [row for row in rows if row["family"] == family and row["variant"] in variants]
    return min(candidates, key=lambda row: float(row["fid_judge"] or "inf"), default=None)


def untuned_of(rows: list[Row], params: Params) -> set[str]:
    """The variants that were trained here with the parameters of their sources."""
    trained = {row["variant"] for row in rows if row["steps"]}  # submitted samples have no steps
    return trained - {*params.tuned, *params.aside}


def effort_lines(profile: str, params: Params) -> Iterator[list[str]]:
    """The finalists, and the best GAN beside the best VAE at each equal effort."""
    rows = leaderboard(profile)
    untuned = untuned_of(rows, params)
    for effort, variants in (
        (finalists_effort(params), params.finalists),
        ("neither searched: the lowest FID of each family", untuned),
        ("one sweep each", tuning_of(params).swept),
    ):
        gan, vae = (best(rows, family, variants) for family in ("gan", "vae"))
        if gan and vae:
            yield [effort, *_pair(profile, gan, vae)]


def finalists_effort(params: Params) -> str:
    """The tuning effort for the two finalists, in a few words."""
    tuning = tuning_of(params)
    if tuning.unequal:
        return "unequal: the finalists"
    origin = tuning.match(params.finalists)
    if origin and origin.match:
        return f"equal: the finalists, after {effort_text(origin.match)} each"
    return "the finalists"


def _pair(profile: str, gan: Row, vae: Row) -> list[str]:
    difference = fid_difference(profile, gan["variant"], vae["variant"])
    seconds = (float(gan["train_seconds"]), float(vae["train_seconds"]))
    return [
        *_side(gan),
        *_side(vae),
        second_fids(gan, vae),
        f"{seconds[0]:,.0f} / {seconds[1]:,.0f}{' (unequal)' if unequal(seconds) else ''}",
        " ".join(spread(difference)),
        " ".join(probability(difference)),
        tested(difference),
        verdict(difference),
    ]


def second_fids(gan: Row, vae: Row) -> str:
    """The FIDs of both in the features of the second judge; empty in results without them."""
    fids = [row.get(SECOND) for row in (gan, vae)]
    return " / ".join(printed(SECOND, float(fid)) for fid in fids if fid) if all(fids) else ""


def _side(row: Row) -> tuple[str, str]:
    return f"`{row['variant']}`", cell(row, "fid_judge")


def fid_difference(profile: str, gan: str, vae: str) -> Difference:
    """The comparison of a GAN (first) with a VAE by FID."""
    found = comparison(profile)["pairs"]
    if "effect" not in found[0]:
        raise SystemExit(
            f"error: results/{profile}/comparison.json is from an older version. "
            "Run `dvc repro` to write it again."
        )
    pairs = {(pair["first"], pair["second"]): Difference(**pair) for pair in found}
    return pairs[gan, vae] if (gan, vae) in pairs else turned(pairs[vae, gan])


def tables_in(text: str) -> Iterator[tuple[int, str]]:
    """Each Markdown table of a text, and the position where it begins."""
    for match in re.finditer(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        yield match.start(), match[0].rstrip("\n")


def published(profile: str) -> Iterator[str]:
    """The leaderboard's tables beside numbers from papers: those that cite arXiv."""
    text = (ROOT / f"results/{profile}/leaderboard.md").read_text(encoding="utf-8")
    for start, found in tables_in(text):
        if "arxiv.org" in found:
            title = re.findall(r"^## (.+)$", text[:start], flags=re.MULTILINE)[-1]
            anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
            yield "### Beside published numbers"
            yield found
            yield (
                "The published models and the models of this profile differ in network, training "
                "budget and measurement. "
                f"[The leaderboard](../results/{profile}/leaderboard.md#{anchor}) lists these "
                "differences."
            )


def section(profile: str) -> Iterator[str]:
    """The section of a profile, in paragraphs."""
    title, scores = PROFILES[profile]
    params = params_of(profile)
    yield f"## {title}"
    yield (
        f"Files of the profile `{profile}`: [leaderboard](../results/{profile}/leaderboard.md), "
        f"[comparisons](../results/{profile}/comparison.json), "
        f"[report](../results/{profile}/report.html)."
    )
    yield score_table(leaderboard(profile), scores, params.tuned)
    if params.tuned:
        yield f"† marks tuned variants: {tuning_of(params).mark}."
    efforts = list(effort_lines(profile, params))
    if efforts:
        yield "### Pairs by tuning effort"
        yield table(PAIR_HEADS, efforts)
    tuning = tuning_of(params)
    if tuning.unequal:
        yield f"The tuning effort for the finalists was unequal: {tuning.unequal}."
    if tuning.outside:
        yield tuning.outside
    if profile == "full":
        yield from own_budgets()
    yield from published(profile)


def own_budgets() -> Iterator[str]:
    """What the order of the systems owes to the training budget, in paragraphs."""
    params, rows = params_of("full"), []
    for profile in ("laptop", "full"):
        records = read_records(ROOT / f"results/{profile}/scores.json")
        rows.append(compare(records, None, params.aside).rows)
    systems = in_both(*rows, sorted({run.system for run in params.runs.values()}))
    yield from own_budgets_section(systems)


def _unequal_sets() -> str:
    """A sentence that names the data sets whose finalists were tuned with unequal effort."""
    titles = [PROFILES[name][0] for name in COMPARED if tuning_of(params_of(name)).unequal]
    if not titles:
        return "On each data set, the two finalists were tuned with the same effort."
    return (
        f"On {listed(titles)}, the tuning effort for the two finalists was unequal. The sections "
        "of these data sets say how it differed."
    )


def results_page() -> str:
    """The whole of docs/results.md."""
    page = (ROOT / "results/across.md").read_text(encoding="utf-8")
    _, across = next(tables_in(page))
    left_out = re.findall(r"(?:The data sets disagree|This average)[^*]+?\.(?= [A-Z])", page)
    parts = [
        INTRODUCTION,
        "## Across data sets",
        f"The table compares the finalists on each data set. {_unequal_sets()} The ratio is FID of "
        "the GAN divided by FID of the VAE. If it is below 1, the GAN has the lower FID. The "
        "last row has the mean ratio, with an interval from a stratified bootstrap of the seeds. "
        f"{' '.join([*left_out, ''])}[The page across data sets](../results/across.md) also "
        "compares the finalists by other scores, and ranks the systems that were not tuned.",
        across,
        "![FID of the GAN divided by FID of the VAE on each data set](../results/across.png)",
    ]
    for profile in PROFILES:
        if (ROOT / f"results/{profile}/leaderboard.csv").exists():
            parts += section(profile)
    return "\n\n".join(parts) + "\n"


def write(path: Path, new: str) -> None:
    """Write a page, and say whether it has changed."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(new, encoding="utf-8")
    sys.stdout.write(f"{path.name}: {'written' if new != old else 'up to date'}\n")


if __name__ == "__main__":
    write(PAGE, results_page())
