"""Write the README's two tables from results/: `make docs`."""

from make_results import (
    COMPARED,
    PROFILES,
    ROOT,
    SECOND,
    Row,
    best,
    cell,
    leaderboard,
    params_of,
    score_table,
    second_fids,
    table,
    untuned_of,
    write,
)

from ganvae.config import Params
from ganvae.report.matches import chances
from ganvae.report.numbers import percent
from ganvae.report.scores import REFERENCES
from ganvae.report.tuning import tuning_of
from ganvae.scores.matches import read_stage

README = ROOT / "README.md"
SCORES = ("fid_judge", SECOND, "recall_judge", "train_seconds")
TRIALS = 20
"""The number of trials per family for which the table shows the chance of the GANs."""
HEADS = (
    "data set",
    "GAN, FID ↓",
    "VAE, FID ↓",
    "second judge, GAN / VAE",
    "recall, GAN / VAE",
    f"chance that the best of {TRIALS} trials per family is a GAN",
    "training, s, GAN / VAE",
)


def answers() -> str:
    """The table of the finalists on each data set where both families had the same effort."""
    return table(HEADS, filter(None, map(_answer, COMPARED)))


def _answer(profile: str) -> list[str] | None:
    params = params_of(profile)
    origin = tuning_of(params).match(params.finalists)
    if not origin:
        return None
    by_name = {row["variant"]: row for row in leaderboard(profile)}
    if missing := {*params.finalists} - by_name.keys():
        raise SystemExit(
            f"error: results/{profile} has no scores of {' and '.join(sorted(missing))}. "
            "Run `ganvae repro` for this profile first."
        )
    gan, vae = (by_name[name] for name in params.finalists)
    report = f"results/matches/{origin.study}/report.md"
    return [
        f"[{PROFILES[profile][0]}]({report})",
        cell(gan, "fid_judge"),
        cell(vae, "fid_judge"),
        second_fids(gan, vae),
        f"{float(gan['recall_judge']):.3f} / {float(vae['recall_judge']):.3f}",
        _chance(origin.study),
        f"{float(gan['train_seconds']):,.0f} / {float(vae['train_seconds']):,.0f}",
    ]


def _chance(match: str) -> str:
    """The chance of the GANs; empty in a match with too few trials to estimate it."""
    found = chances(read_stage(ROOT, match, "search"), "fid_judge")
    return percent(found[TRIALS]) if TRIALS in found else ""


def main_rows(rows: list[Row], params: Params) -> list[Row]:
    """The baselines, the finalists, the variants tuned by hand, and the best untuned ones."""
    tuning = tuning_of(params)
    bests = [best(rows, family, untuned_of(rows, params)) for family in ("gan", "vae")]
    by_hand = {*params.tuned} - tuning.promoted.keys()
    kept = {*REFERENCES, *params.finalists, *by_hand, *(row["variant"] for row in bests if row)}
    return [row for row in rows if row["variant"] in kept]


def leading() -> str:
    """The table of the main rows of MNIST."""
    params = params_of("laptop")
    return score_table(main_rows(leaderboard("laptop"), params), SCORES, params.tuned)


def readme(text: str) -> str:
    """The README with today's tables between their markers."""
    for name, lines in (("answers", answers()), ("leaderboard", leading())):
        start, end = f"<!-- {name} (make docs) -->", f"<!-- end of {name} -->"
        before, rest = text.split(start)
        text = f"{before}{start}\n{lines}\n{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    write(README, readme(README.read_text("utf-8")))
