"""Read the data source, draw the splits, and write one compact file per split."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.core.paths import ProfilePaths
from ganvae.data.splits import load_source, make_splits
from ganvae.data.store import write_split
from ganvae.pipeline.stage import run_stage


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    paths = ProfilePaths(params.profile)
    source = load_source(params.data)
    for remark in source.remarks:
        print(remark)
    for name, split in make_splits(source, params.data).items():
        write_split(paths.split(name), name, split, params.data.dataset, source.classes)
        print(f"{paths.split(name)}: {len(split.index)} images")


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)
