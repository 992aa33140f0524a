"""Write the files of training runs that git keeps: small weights, and the pictures on pages."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.pipeline.pretrained import publish
from ganvae.pipeline.stage import run_stage
from ganvae.report.publishing import publish_pictures


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    for path in publish(params):
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    for folder in publish_pictures(params):
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{folder}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)
