"""Score one trained run on the test split and draw what it makes."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.evaluation.runs import evaluate_run
from ganvae.files import write_json
from ganvae.paths import ProfilePaths
from ganvae.report.pictures import draw_reconstructions, draw_samples
from ganvae.stage import run_stage


def main(params_file: str, run: str) -> None:
    params = load_params(Path(params_file))
    paths = ProfilePaths(params.profile).run(run)
    evaluation = evaluate_run(params, run)
    draw_samples(paths.pictures / "samples.png", evaluation.samples, run)
    if evaluation.reconstructions:
        draw_reconstructions(paths.pictures / "reconstructions.png", *evaluation.reconstructions)
    write_json(paths.scores, evaluation.record.model_dump())
    fid = evaluation.record.scores["fid_judge"]
    print(f"{run}: " + ("diverged, not scored" if fid is None else f"FID (judge) {fid:.2f}"))


if __name__ == "__main__":
    run_stage(main, __doc__)
