"""Score the two baselines: real training images, and a pixel-wise Gaussian."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.core.paths import ProfilePaths
from ganvae.evaluation.baselines import evaluate_baselines
from ganvae.evaluation.measuring import check_measuring
from ganvae.pictures.samples import draw_samples
from ganvae.pipeline.stage import run_stage
from ganvae.scores.records import write_records


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    check_measuring(params)
    folder = ProfilePaths(params.profile).baselines
    evaluated = evaluate_baselines(params)
    for record, images in evaluated:
        draw_samples(folder / f"{record.variant}.png", images, record.variant)
    write_records(folder / "scores.json", [record for record, _ in evaluated])


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)
