"""What a profile's dvc.lock says of its outputs; the pipeline itself is not asked."""

from collections.abc import Mapping
from pathlib import Path

from ganvae.config import read_yaml


def locked_outputs(root: Path, profile: str) -> Mapping[str, str]:
    """MD5 of each output by path from ``root``; empty if the profile has no lock.

    A profile's lock is in its folder; that of the profile in the repository's root is there.

    Raises:
        ConfigError: the lock is not YAML.
    """
    places = (root / "profiles" / profile / "dvc.lock", root / "dvc.lock")
    lock = next((path for path in places if path.exists()), None)
    stages = read_yaml(lock).get("stages", {}) if lock else {}
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if "md5" in out}
