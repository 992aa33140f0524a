"""Write the prepared splits as folders of PNG files, one folder per class."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.core.paths import ProfilePaths
from ganvae.data.by_class import write_by_class
from ganvae.data.splits import SPLITS
from ganvae.data.store import read_split
from ganvae.pipeline.stage import run_stage


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    paths = ProfilePaths(params.profile)
    splits = [read_split(paths.split(name)) for name in SPLITS]
    write_by_class(paths.by_class, splits, params.by_class.per_class)


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)
