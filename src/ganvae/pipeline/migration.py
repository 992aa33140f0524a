"""`ganvae migrate`: rewrite files from before protocol 3 without running any stage.

The old files call a variant ``model`` and list variants under ``models``. They name a system by its
module, under the key ``code``. An old params.yaml also holds the promoted variants, which now have
their own file. The migration changes names but no numbers: a stage that was up to date stays up to
date.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

from ganvae.config import read_yaml
from ganvae.config.promotions import PROMOTED, Promotions, write_promotions
from ganvae.core.files import read_json, write_json, write_text

RUN = re.compile(r"\{model: ([\w-]+), code: (\w+), seed: (\d+)\}")
COMMAND = re.compile(r"(python stages/(?:train|evaluate|draw)\.py \S+) \S+")
TOKEN = re.compile(r"(behaviour/tokens/[\w-]+/)(\w+)(\.json)")


def migrate(root: Path) -> list[str]:
    """Rewrite the old params.yaml files, sweep spaces, records and locks under ``root``.

    Files in the current form stay unchanged, so a second call changes nothing.

    Returns:
        The files that were rewritten, relative to ``root``.
    """
    params = [path for path in _params_files(root) if "models" in read_yaml(path)]
    old = {path.relative_to(root): read_yaml(path) for path in params}
    before = {lock: _sums(root, lock) for lock in _locks(root)}
    changed = list(params)
    for path in params:
        _migrate_params(path)
        changed.append(path.with_name(PROMOTED))
    changed += [path for path in root.glob("sweeps/*.yaml") if _migrate_space(path)]
    changed += [path for path in _records(root) if _migrate_record(path)]
    changed += [lock for lock in before if _migrate_lock(root, lock, before[lock], old)]
    return [str(path.relative_to(root)) for path in changed]


def _params_files(root: Path) -> list[Path]:
    return [path for path in (root / "params.yaml", *root.glob("profiles/*/params.yaml"))
            if path.exists()]  # fmt: skip


def _records(root: Path) -> Iterator[Path]:
    results = root / "results"
    for pattern in ("*/scores.json", "*/baselines/scores.json", "*/runs/*/scores.json",
                    "*/runs/*/outcome.json", "sweeps/*/study.json"):  # fmt: skip
        yield from sorted(results.glob(pattern))


def _locks(root: Path) -> list[Path]:
    return [path for pattern in ("dvc.lock", "profiles/*/dvc.lock", "results/dvc.lock")
            for path in sorted(root.glob(pattern))]  # fmt: skip


def _migrate_params(path: Path) -> None:
    """Rename the keys of a params.yaml, and move its promoted variants to promoted.yaml.

    The keys are renamed in the text, so that comments stay.
    """
    values = read_yaml(path)
    text = path.read_text(encoding="utf-8")
    promoted = values.get("promoted") or {}
    keys = {key for key, run in values["runs"].items() if run["model"] in promoted}
    for section, names in (("runs", keys), ("models", promoted.keys()), ("", {"promoted"})):
        text = _without(text, section, names)
    own, beside = values["file"], str(Path(values["file"]).with_name(PROMOTED))
    text = RUN.sub(lambda run: _run(run, own), text)
    text = re.sub(r"^models:", "variants:", text, flags=re.MULTILINE)
    text = re.sub(r"^(file: .*\n)", rf"\1promotions: {beside}\n", text, flags=re.MULTILINE)
    runs = {key: renamed_run(values["runs"][key], beside) for key in values["runs"] if key in keys}
    write_text(path, text)
    write_promotions(
        path.with_name(PROMOTED),
        Promotions.model_validate(
            {
                "runs": runs,
                "variants": {name: values["models"][name] for name in promoted},
                "promoted": promoted,
            }
        ),
    )


def _run(run: re.Match[str], file: str) -> str:
    renamed = renamed_run({"model": run[1], "code": run[2], "seed": run[3]}, file)
    return f"{{{', '.join(f'{key}: {value}' for key, value in renamed.items())}}}"


def renamed_run(run: dict[str, Any], file: str) -> dict[str, Any]:
    """Return a run's entry of an old params.yaml with the current keys.

    Args:
        run: the old entry, with the keys ``model``, ``code`` and ``seed``.
        file: the params.yaml or promoted.yaml that holds the variant's section.
    """
    system = run["code"].replace("_", "-")
    return {"variant": run["model"], "system": system, "seed": run["seed"], "file": file}


def _without(text: str, section: str, names: Any) -> str:
    """Return the YAML text without the lines of some keys of one section.

    Args:
        section: the section's key; "" means the top level.
        names: the keys to remove.
    """
    top = YAML(typ="safe", pure=True).compose(text)
    node: Node | None = top
    if section and isinstance(top, MappingNode):
        node = next((value for key, value in top.value if key.value == section), None)
    if not isinstance(node, MappingNode):
        return text
    lines = text.splitlines(keepends=True)
    for key, value in reversed(node.value):
        if key.value in names:
            del lines[key.start_mark.line : _last_line(value) + 1]
    return "".join(lines)


def _last_line(node: Node) -> int:
    """Return the number of a YAML node's last line, counted from 0.

    The end mark of a block points past the block, at the next YAML token. So the last line is found
    through the block's last value.
    """
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(node, MappingNode) else last)
    return int(node.end_mark.line)


def _migrate_space(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    if not re.search(r"^models:", text, flags=re.MULTILINE):
        return False
    write_text(path, re.sub(r"^models:", "systems:", text, flags=re.MULTILINE))
    return True


def _migrate_record(path: Path) -> bool:
    """Rename the key ``model`` of a record, or of each record in a list, to ``variant``.

    Returns:
        Whether the file has changed.
    """
    content = read_json(path)
    records = content if isinstance(content, list) else [content]
    if not any("model" in record for record in records):
        return False
    renamed = [
        {("variant" if key == "model" else key): value for key, value in record.items()}
        for record in records
    ]
    write_json(path, renamed if isinstance(content, list) else renamed[0])
    return True


Sum = tuple[str, int]
"""MD5 and size in bytes of a file or folder, as in DVC's locks."""


def _sums(root: Path, lock: Path) -> dict[str, Sum]:
    """Return MD5 and size of the files and folders in results/ that a lock names, by path.

    The paths are dependencies or outputs of the lock's stages. Missing paths are left out.
    """
    stages = read_yaml(lock).get("stages", {}).values()
    paths = {entry["path"] for stage in stages for entry in _entries(stage)}
    return {path: _sum(root / path) for path in paths
            if path.startswith("results/") and (root / path).exists()}  # fmt: skip


def _entries(stage: dict[str, Any]) -> list[dict[str, Any]]:
    return [*stage.get("deps", []), *stage.get("outs", [])]


def _sum(path: Path) -> Sum:
    """Compute MD5 and size as DVC does: a folder's MD5 is the MD5 of the JSON list of its files."""
    if path.is_file():
        content = path.read_bytes()
        return hashlib.md5(content).hexdigest(), len(content)
    files = [file for file in path.rglob("*") if file.is_file()]
    listed = sorted(
        ({"md5": _sum(file)[0], "relpath": file.relative_to(path).as_posix()} for file in files),
        key=lambda entry: entry["relpath"],
    )
    digest = hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    return f"{digest}.dir", sum(file.stat().st_size for file in files)


def _migrate_lock(
    root: Path, lock: Path, before: dict[str, Sum], old: dict[Path, dict[str, Any]]
) -> bool:
    """Rewrite a lock so that stages that were up to date stay up to date.

    Args:
        before: MD5 and size of the lock's files in results/ before the migration, by path.
        old: the contents of the params.yaml files before the migration, by path from ``root``.

    Returns:
        Whether the lock has changed.
    """
    yaml = YAML()
    yaml.width = 10**9
    text = lock.read_text(encoding="utf-8")
    content = yaml.load(text)
    for stage in content.get("stages", {}).values():
        stage["cmd"] = COMMAND.sub(r"\1", stage["cmd"])  # the run is named by DVC_STAGE now
        for entry in _entries(stage):
            entry["path"] = TOKEN.sub(lambda t: t[1] + t[2].replace("_", "-") + t[3], entry["path"])
            known = before.get(entry["path"])
            if known and (entry.get("md5"), entry.get("size")) == known:
                entry["md5"], entry["size"] = _sum(root / entry["path"])
        for file in [file for file in stage.get("params", {}) if Path(file) in old]:
            _migrate_params_of(stage["params"], file, old[Path(file)])
    if content == YAML(typ="safe").load(text):
        return False  # other line breaks are no change
    out = io.StringIO()
    yaml.dump(content, out)
    write_text(lock, out.getvalue())
    return True


def _migrate_params_of(params: dict[str, Any], file: str, old: dict[str, Any]) -> None:
    """Rename the parameters in a stage's lock.

    The parameters of promoted variants move from the section of params.yaml to promoted.yaml.

    Args:
        params: the stage's parameters by file, which are changed in place.
        file: the path of params.yaml.
        old: the content of params.yaml before the migration.
    """
    promoted = old.get("promoted") or {}
    beside = str(Path(file).with_name(PROMOTED))
    kept, moved = {}, {}
    for key, value in params[file].items():
        section, _, name = key.partition(".")
        if key == "runs":
            by_file: dict[bool, dict[str, Any]] = {True: {}, False: {}}
            for run, entry in value.items():
                is_promoted = entry["model"] in promoted
                by_file[is_promoted][run] = renamed_run(entry, beside if is_promoted else file)
            kept[key] = by_file[False]
            moved[key] = by_file[True]
        elif section == "models":
            (moved if name in promoted else kept)[f"variants.{name}"] = value
        else:
            kept[key] = value
    params[file] = kept
    if moved:
        params[beside] = moved
