"""Make one judge without labels from judges/params.yaml, and write its weights and its card."""

from pathlib import Path

import torch

from ganvae.config import UnlabelledChannelConfig, UnlabelledTrainingConfig, parse, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import replacing, sha256, write_json
from ganvae.core.tensors import save_tensors
from ganvae.data.splits import load_source, make_splits
from ganvae.evaluation.sensitivity import sensitivity
from ganvae.judge.making import make_unlabelled_judge
from ganvae.judge.network import FrozenJudge
from ganvae.judge.unlabelled import UnlabelledJudge
from ganvae.pipeline.stage import run_stage

MAX_BYTES = 1_000_000  # judges are committed to git


def main(params_file: str, name: str, output: str) -> None:
    config = _config(Path(params_file), name)
    torch.set_num_threads(1)
    source = load_source(config.data)
    splits = make_splits(source, config.data)
    train, test = (torch.from_numpy(splits[part].data.images) for part in ("train", "test"))
    weights, card = make_unlabelled_judge(config, train)
    path = Path(output)
    with replacing(path) as temporary:
        save_tensors(temporary, weights, card)
        size = temporary.stat().st_size
        if size >= MAX_BYTES:
            raise ConfigError(
                f"{params_file}: {name}: the weights take {size:,} bytes, but the limit is "
                f"{MAX_BYTES:,}. Give the judge fewer channels or features."
            )
        judge, labelled = UnlabelledJudge(temporary), FrozenJudge(Path(config.labelled))
        measured = {
            "fid": sensitivity(judge, train, test),
            "fid_labelled": sensitivity(lambda images: labelled(images)[0], train, test),
        }
    facts = {"sha256": sha256(path), "bytes": size}
    write_json(path.with_suffix(".json"), facts | card | measured)
    blur = [fids["blur_1.0"] / fids["floor"] for fids in measured.values()]
    print(f"{output}: FID of a blur of 1 pixel is {blur[0]:.0f} times the floor")
    print(f"{config.labelled}: FID of a blur of 1 pixel is {blur[1]:.0f} times the floor")


def _config(params_file: Path, name: str) -> UnlabelledTrainingConfig | UnlabelledChannelConfig:
    judges = read_yaml(params_file)
    if name not in judges:
        known = ", ".join(judges)
        raise ConfigError(f"{params_file} has no judge {name!r}. Choose one of these: {known}.")
    section, where = judges[name], f"{params_file}: {name}"
    if "channels_of" in section:
        return parse(UnlabelledChannelConfig, section, where)
    return parse(UnlabelledTrainingConfig, section, where)


if __name__ == "__main__":
    run_stage(main, __doc__)
