"""Score one training run: all scores on the test split, and FID on the validation split."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.evaluation.measuring import check_measuring
from ganvae.evaluation.runs import evaluate_run, validate_run
from ganvae.pipeline.stage import run_stage


def main(params_file: str, run: str) -> None:
    params = load_params(Path(params_file))
    check_measuring(params)
    record = evaluate_run(params, run)
    paths = ProfilePaths(params.profile).run(run)
    write_json(paths.scores, record.model_dump())
    write_json(paths.validation, validate_run(params, run).model_dump())
    fid = record.scores["fid_judge"]
    score = "no FID" if fid is None else f"FID (judge) {fid:.2f}"
    reasons = [record.reason] if record.reason else record.flags
    print(f"{run}: {record.status}, {score}" + "".join(f"; {reason}" for reason in reasons))


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)
