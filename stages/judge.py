"""Make one judge from judges/params.yaml, and write its weights and its card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ganvae.config import ChannelJudgeConfig, JudgeConfig, parse, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import replacing, sha256, write_json
from ganvae.core.seeds import generator
from ganvae.core.tensors import save_tensors
from ganvae.data.splits import Split, load_source, make_splits
from ganvae.judge.making import make_judge
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.fid import fid
from ganvae.pipeline.stage import run_stage

MAX_BYTES = 1_000_000  # judges are committed to git


def main(params_file: str, name: str, output: str) -> None:
    config = _config(Path(params_file), name)
    torch.set_num_threads(config.training.threads if isinstance(config, JudgeConfig) else 1)
    source = load_source(config.data)
    splits = make_splits(source, config.data)
    weights, card = make_judge(config, splits, len(source.classes))
    path = Path(output)
    with replacing(path) as temporary:
        save_tensors(temporary, weights, card)
        size = temporary.stat().st_size
        if size >= MAX_BYTES:
            raise ConfigError(
                f"{params_file}: {name}: the weights take {size:,} bytes, but the limit is "
                f"{MAX_BYTES:,}. Give the judge fewer channels or features."
            )
        floor = _floor(FrozenJudge(temporary), splits)
    facts = {"sha256": sha256(path), "bytes": size}
    write_json(path.with_suffix(".json"), facts | card | {"floor": floor})
    rates = ", ".join(f"{k} {v:.2%}" for k, v in card.items() if k.endswith(("_accuracy", "_auc")))
    print(f"{output}: {rates}, FID of real images {floor['fid']:.2f}")


def _config(params_file: Path, name: str) -> JudgeConfig | ChannelJudgeConfig:
    judges = read_yaml(params_file)
    if name not in judges:
        known = ", ".join(judges)
        raise ConfigError(f"{params_file} has no judge {name!r}. Choose one of these: {known}.")
    if "channels_of" in judges[name]:
        return parse(ChannelJudgeConfig, judges[name], f"{params_file}: {name}")
    return parse(JudgeConfig, judges[name], f"{params_file}: {name}")


def _floor(judge: FrozenJudge, splits: Mapping[str, Split]) -> dict[str, Any]:
    """FID of random training images against test images: a floor for the FID of all models."""
    train, test = (torch.from_numpy(splits[name].data.images) for name in ("train", "test"))
    n = min(len(train), len(test), 10_000)
    drawn = train[torch.randperm(len(train), generator=generator(0, "judge's floor"))[:n]]
    real, generated = judge(test)[0], judge(drawn)[0]
    return {"fid": fid(real=real, generated=generated), "n_real": len(test), "n_generated": n}


if __name__ == "__main__":
    run_stage(main, __doc__)
