"""Create a project: parameters, pipelines, judges, and an example of an own model.

The folder ``files`` holds the files of a project. Names that begin with a dot begin with ``dot-``
there.
"""

import io
import re
import shlex
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path
from string import Template
from typing import Any

from ruamel.yaml import YAML

from ganvae.config.params import Params
from ganvae.config.profiles import profile_of, published_profiles
from ganvae.core import assets
from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.files import read_json, replacing
from ganvae.data.places import find_folder
from ganvae.data.registry import get_dataset

SMOKE = Path("profiles/smoke")
FEW_TRAINING_IMAGES = 2000
"""The number of training images in the smoke profile."""
FEW_TEST_IMAGES = 1000
"""The number of test images in the smoke profile, if the judge does not need certain splits."""
BEHAVIOUR = """\
# What results depend on, beside parameters and data: the behaviour of the installed program, and
# the code of your own models. This takes a second, so it is done each time.
stages:
  behaviour:
    wdir: ..
    cmd: python -m ganvae.pipeline.project.tokens
    always_changed: true
    outs:
      - behaviour/tokens:
          cache: false
          persist: true
"""
"""The project's behaviour/dvc.yaml. In the folder ``files``, DVC would find it as a pipeline."""


def new_project(folder: Path, dataset: str) -> list[str]:
    """Create a project for a data set, in a folder that does not exist yet.

    Returns:
        Remarks for the user, for example the command that gets the images.

    Raises:
        ConfigError: the data set is unknown, or the program has no judge for it.
        UserError: the folder exists already.
    """
    profile = profile_of(get_dataset(dataset).name)
    if profile is None:
        known = ", ".join(sorted({params.data.dataset for _, params in published_profiles()}))
        raise ConfigError(
            f"there is no judge for {dataset}. Choose one of these data sets: {known}."
        )
    if folder.exists():
        raise UserError(f"{folder} exists already. Give the name of a new folder.")
    remarks = []
    with replacing(folder) as root:
        _copy_files(root, folder.name, profile)
        _write_pipelines(root)
        for judge in filter(None, (Path(profile.judge), _unlabelled_judge(profile))):
            _copy_judge(judge, root)
        if not _copy_images(root, profile):
            fetch = f"ganvae fetch {profile.data.dataset} --directory {profile.data.directory}"
            remarks.append(f"Get the images: cd {shlex.quote(str(folder))} && {fetch}")
        _init_git(root, folder.resolve().parent)
    return remarks


def own_pipeline(text: str) -> str:
    """Return the text of a project's dvc.yaml, from the text of the repository's dvc.yaml.

    A project has no source code. So its stages are started by the installed program, and stages
    that depend on source code depend on the token of the installed code instead.
    """
    text = re.sub(r"python stages/(\w+)\.py", r"python -m ganvae.pipeline.project.stage \1", text)
    text = re.sub(r"- stages/\w+\.py", "- behaviour/tokens/code.json", text)
    return re.sub(r"^ +- src/.*\n", "", text, flags=re.MULTILINE)


def _copy_files(root: Path, name: str, profile: Params) -> None:
    """Copy the files of a project, with the name and the sections of the data set filled in."""
    data = profile.data.model_dump()
    unlabelled = profile.evaluation.unlabelled_judge
    values = {
        "name": name,
        "dataset": data["dataset"],
        "judge": profile.judge,
        "data": _yaml(data),
        "n_generated": str(profile.evaluation.n_generated),
        "bootstrap_resamples": str(profile.evaluation.bootstrap_resamples),
        "few_data": _yaml(data | _few(profile)),
        "unlabelled_judge": _yaml(unlabelled.model_dump(), indent=4) if unlabelled else " null",
    }
    with as_file(files("ganvae.pipeline.project") / "files") as folder:
        for source in sorted(folder.rglob("*")):
            if source.is_dir() or source.suffix == ".pyc":  # pip compiles the example
                continue
            target = root / str(source.relative_to(folder)).replace("dot-", ".")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(source.read_text("utf-8")).safe_substitute(values), "utf-8")


def _few(profile: Params) -> dict[str, int]:
    """The sizes of the splits in the smoke profile. A judge of people fixes all but one."""
    few = {"train_size": FEW_TRAINING_IMAGES}
    card = read_json((assets.ROOT / profile.judge).with_suffix(".json"))
    if card.get("kind") == "identities":
        return few
    return few | {"validation_size": 500, "test_size": FEW_TEST_IMAGES}


def _write_pipelines(root: Path) -> None:
    (root / "behaviour").mkdir()
    (root / "behaviour/dvc.yaml").write_text(BEHAVIOUR, "utf-8")
    text = own_pipeline((assets.ROOT / "dvc.yaml").read_text("utf-8"))
    (root / "dvc.yaml").write_text(text, "utf-8")
    parameters = SMOKE / "params.yaml"
    text = text.replace("params_file: params.yaml", f"params_file: {parameters}")
    (root / SMOKE / "dvc.yaml").write_text(text, "utf-8")


def _unlabelled_judge(profile: Params) -> Path | None:
    judge = profile.evaluation.unlabelled_judge
    return Path(judge.file) if judge else None


def _copy_judge(judge: Path, root: Path) -> None:
    """Copy a judge with its card."""
    for path in (judge, judge.with_suffix(".json")):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(assets.ROOT / path, root / path)


def _copy_images(root: Path, profile: Params) -> bool:
    """Copy the images of the data set. Return False if this machine does not have them."""
    try:
        folder = find_folder(get_dataset(profile.data.dataset), None)
    except DataError:
        return False
    shutil.copytree(folder, root / profile.data.directory)
    return True


def _init_git(root: Path, parent: Path) -> None:
    """Make the project a git repository, or DVC independent of git.

    A project inside of another repository stays a part of it.
    """
    if shutil.which("git"):
        inside = ["git", "-C", str(parent), "rev-parse", "--is-inside-work-tree"]
        if subprocess.run(inside, capture_output=True, check=False).returncode:
            subprocess.run(["git", "init", "--quiet", str(root)], check=True)
            return
    with (root / ".dvc/config").open("a", encoding="utf-8") as config:
        config.write("    no_scm = true\n")


def _yaml(values: dict[str, Any], indent: int = 2) -> str:
    """The text of a section's values, as lines below the name of the section."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    text = io.StringIO()
    yaml.dump(values, text)
    return "".join(f"\n{' ' * indent}{line}" for line in text.getvalue().splitlines())
