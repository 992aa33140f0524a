"""Score one trained run on the test split."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.evaluation.runs import evaluate_run
from ganvae.files import write_json
from ganvae.paths import ProfilePaths
from ganvae.stage import run_stage


def main(params_file: str, run: str) -> None:
    params = load_params(Path(params_file))
    record = evaluate_run(params, run)
    write_json(ProfilePaths(params.profile).run(run).scores, record.model_dump())
    fid = record.scores["fid_judge"]
    score = "no FID" if fid is None else f"FID (judge) {fid:.2f}"
    because = [record.reason] if record.reason else record.flags
    print(f"{run}: {record.status}, {score}" + "".join(f"; {reason}" for reason in because))


if __name__ == "__main__":
    run_stage(main, __doc__)
