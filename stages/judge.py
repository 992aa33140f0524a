"""Train one judge of judges/params.yaml; write its weights, and its card beside them."""

from pathlib import Path

import torch

from ganvae.config import JudgeConfig, parse, read_yaml
from ganvae.data.splits import load_source, make_splits
from ganvae.errors import ConfigError
from ganvae.files import sha256, write_json
from ganvae.judge.training import judge_card, train_judge
from ganvae.stage import run_stage
from ganvae.tensors import save_tensors


def main(params_file: str, name: str, output: str) -> None:
    judges = read_yaml(Path(params_file))
    if name not in judges:
        raise ConfigError(f"{params_file}: no judge {name!r}; there are: {', '.join(judges)}")
    config = parse(JudgeConfig, judges[name], f"{params_file}: {name}")
    torch.set_num_threads(config.training.threads)
    source = load_source(config.data)
    splits = make_splits(source, config.data)
    judge = train_judge(config, splits["train"].data, len(source.classes))
    card = judge_card(judge, config, splits, len(source.classes))
    weights = Path(output)
    save_tensors(weights, judge.state_dict(), card)
    write_json(weights.with_suffix(".json"), {"sha256": sha256(weights), **card})
    print(
        f"{output}: accuracy {card['validation_accuracy']:.2%} on validation, "
        f"{card['test_accuracy']:.2%} on test"
    )


if __name__ == "__main__":
    run_stage(main, __doc__)
