"""Write docs/results.md and the README's table from results/: `make docs`.

All numbers come from committed files: the leaderboards, the comparisons, the page across data sets
and the parameters of each profile.
"""

import csv
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ganvae.config import Params, load_params
from ganvae.report.differences import markdown_line
from ganvae.report.numbers import MINUS
from ganvae.report.scores import REFERENCES, estimated, heading, interval, signed
from ganvae.report.verdicts import TOO_FEW, Side, leader, winner
from ganvae.scores.statistics import Difference, Estimate

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGE = Path(__file__).with_name("results.md")
MARKERS = ("<!-- leaderboard (make docs) -->", "<!-- end of leaderboard -->")

README_SCORES = ("fid_judge", "precision_judge", "recall_judge", "train_seconds")
SCORES = ("fid_judge", "kid_judge", "precision_judge", "recall_judge", "coverage_judge")
MODES = ("modes_judge", "mode_kl_judge")
BOUND = ("importance_bound_binarised",)
COST = ("train_seconds",)

Row = dict[str, str]

PROFILES = {
    "laptop": ("MNIST", SCORES + COST),
    "fashion": ("Fashion-MNIST", SCORES + COST),
    "faces": ("Faces (LFW)", SCORES + COST),
    "stacked": ("Stacked MNIST", SCORES + MODES + COST),
    "likelihood": ("Likelihood of binarised MNIST", ("fid_judge", *BOUND, "recall_judge", *COST)),
}
"""By profile: the section's title and the scores in its table."""

INTRODUCTION = f"""\
<!-- `make docs` writes this page from results/. Edit docs/make_results.py instead. -->
# Results

This page shows the main scores of each profile. A *profile* is a parameter file with the
experiments on one data set. A *system* is an architecture. A *variant* is a system with its own
parameters and name. The section of each profile links to the full leaderboard, to the comparison of
every pair of variants, and to the report. [Reading the numbers](reading-the-numbers.md) explains
each score.

- Each cell shows the mean over random seeds ± half the width of its 95 % confidence interval. A
  variant with one seed has no interval.
- ↓ means that lower is better, and ↑ means that higher is better.
- The *judge* is a small classifier whose features the scores use. The *floor* is the score of real
  training images, and the *ceiling* is the score of noise.
- † marks variants whose parameters were chosen by FID on the validation split.

In most sections, a table compares pairs of a GAN and a VAE:

- The column "difference" shows FID of the GAN {MINUS} FID of the VAE, with Welch's 95 % confidence
  interval.
- The column "ahead by FID" names the GAN or the VAE if a rank test shows a difference at the 5 %
  level.
- The *finalists* are the GAN and the VAE that represent their families on a data set. In these
  sections, the p-value of their test is not corrected.
- The p-values of all other pairs in a profile are corrected together. With this correction, many
  pairs have too few seeds for any test. For such a pair, the column names the GAN or the VAE with
  the better mean."""


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
    """A mean ± half of its interval; empty if the score does not apply to the variant."""
    if not row[score]:
        return ""
    margin = row[f"{score}_ci95"]
    seeds = int(row[f"{score}_n"])
    estimate = Estimate(float(row[score]), float(margin) if margin else None, seeds)
    return " ".join(estimated(score, estimate)).rstrip()


def score_table(rows: Iterable[Row], scores: Iterable[str], tuned: Collection[str]) -> str:
    """The table of some scores of a leaderboard's rows."""
    scores = list(scores)
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


def effort_lines(profile: str, params: Params) -> Iterator[list[str]]:
    """The finalists, and the best GAN beside the best VAE at each equal effort."""
    rows = leaderboard(profile)
    by_name = {row["variant"]: row for row in rows}
    untuned = by_name.keys() - {*params.tuned, *params.aside}
    for effort, variants in (
        ("unequal: the finalists" if params.effort else "finalists", params.finalists),
        ("equal: neither was tuned", untuned),
        ("equal: one sweep each", params.promoted),
    ):
        gan, vae = (best(rows, family, variants) for family in ("gan", "vae"))
        if gan and vae:
            yield [effort, *_side(gan), *_side(vae), *_difference(profile, gan, vae)]


def _side(row: Row) -> tuple[str, str]:
    return f"`{row['variant']}`", cell(row, "fid_judge")


def _difference(profile: str, gan: Row, vae: Row) -> tuple[str, str]:
    """GAN minus VAE with its interval, and which side is ahead."""
    difference = fid_difference(profile, {gan["variant"], vae["variant"]})
    sign = 1 if difference.first == gan["variant"] else -1
    ends = [None if end is None else sign * end for end in (difference.low, difference.high)]
    low, high = ends if sign > 0 else ends[::-1]
    within = f" ({interval('fid_judge', low, high)})" if low is not None else ""
    families = {"first": "GAN", "second": "VAE"} if sign > 0 else {"first": "VAE", "second": "GAN"}
    return signed("fid_judge", sign * difference.mean) + within, ahead(difference, families)


def fid_difference(profile: str, names: set[str]) -> Difference:
    """The difference in FID between two variants.

    The test of the finalists stands alone. The tests of all other pairs are corrected together.
    """
    found = comparison(profile)
    candidates = (Difference(**values) for values in found["finalists"] + found["pairs"])
    return next(
        difference
        for difference in candidates
        if {difference.first, difference.second} == names and difference.score == "fid_judge"
    )


def ahead(difference: Difference, families: Mapping[Side, str]) -> str:
    """The family that is ahead: by the rank test, or by the mean if the seeds are too few."""
    if side := winner(difference):
        return families[side]
    side = leader(difference)
    if difference.verdict == TOO_FEW and side:
        return f"{families[side]}, only by the mean (too few seeds for a test)"
    return difference.verdict


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
    efforts = list(effort_lines(profile, params))
    if efforts:
        yield "### Pairs by tuning effort"
        yield table(
            ["tuning effort", "GAN", "FID ↓", "VAE", "FID ↓", "difference", "ahead by FID"], efforts
        )
    if params.effort:
        yield f"The tuning effort for the finalists was unequal: {params.effort.unequal}."
        yield from filter(None, [params.effort.outside])
    yield from published(profile)


def results_page() -> str:
    """The whole of docs/results.md."""
    _, across = next(tables_in((ROOT / "results/across.md").read_text(encoding="utf-8")))
    parts = [
        INTRODUCTION,
        "## Across data sets",
        "The table compares the finalists on each data set. On each data set, the tuning effort "
        "for the two finalists was unequal. The sections of the data sets say how the effort "
        "differed. The ratio is FID of the GAN divided by FID of the VAE. If the ratio is below 1, "
        "the GAN has the lower FID. In this table, the p-values are corrected for the number of "
        "data sets (Holm). [The page that compares the data sets](../results/across.md) also "
        "compares the finalists by other scores, and ranks the systems that were not tuned.",
        across,
        "![FID of the GAN divided by FID of the VAE on each data set](../results/across.png)",
    ]
    for profile in PROFILES:
        parts += section(profile)
    return "\n\n".join(parts) + "\n"


def readme(text: str) -> str:
    """The README with today's table between its markers."""
    params = params_of("laptop")
    rows = [row for row in leaderboard("laptop") if row["variant"] not in params.aside]
    before, rest = text.split(MARKERS[0])
    after = rest.split(MARKERS[1])[1]
    lines = score_table(rows, README_SCORES, params.tuned)
    return f"{before}{MARKERS[0]}\n{lines}\n{MARKERS[1]}{after}"


def main() -> None:
    """Write both files."""
    for path, new in ((PAGE, results_page()), (README, readme(README.read_text("utf-8")))):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(new, encoding="utf-8")
        sys.stdout.write(f"{path.name}: {'written' if new != old else 'up to date'}\n")


if __name__ == "__main__":
    main()
