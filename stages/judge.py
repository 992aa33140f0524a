"""Make one judge of judges/params.yaml, and write its weights with a card beside them."""

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
                f"{params_file}: {name}: the weights take {size:,} bytes, but they must take fewer "
                f"than {MAX_BYTES:,}. Give the judge fewer channels or features."
            )
        floor = _floor(FrozenJudge(temporary), splits)
    description = {"sha256": sha256(path), "bytes": size, **card, "floor": floor}
    write_json(path.with_suffix(".json"), description)
    measures = [f"{key} {card[key]:.2%}" for key in card if key.endswith(("_accuracy", "_auc"))]
    print(f"{output}: {', '.join(measures)}, FID of real images {floor['fid']:.2f}")


def _config(params_file: Path, name: str) -> JudgeConfig | ChannelJudgeConfig:
    judges = read_yaml(params_file)
    if name not in judges:
        raise ConfigError(
            f"{params_file}: there is no judge {name!r}. Choose one of: {', '.join(judges)}."
        )
    where = f"{params_file}: {name}"
    if "channels_of" in judges[name]:
        return parse(ChannelJudgeConfig, judges[name], where)
    return parse(JudgeConfig, judges[name], where)


def _floor(judge: FrozenJudge, splits: Mapping[str, Split]) -> dict[str, Any]:
    """FID of as many training images as there are test images, a floor for all models."""
    train, test = (torch.from_numpy(splits[name].data.images) for name in ("train", "test"))
    n = min(len(train), len(test), 10_000)
    drawn = train[torch.randperm(len(train), generator=generator(0, "judge's floor"))[:n]]
    score = fid(real=judge(test)[0], generated=judge(drawn)[0])
    return {"fid": score, "n_real": len(test), "n_generated": n}


if __name__ == "__main__":
    run_stage(main, __doc__)
