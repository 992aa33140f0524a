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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

from ganvae.config import read_yaml
from ganvae.config.promotions import PROMOTED, Promotions, write_promotions
from ganvae.core.files import json_text, read_json, write_text

RUN = re.compile(r"\{model: ([\w-]+), code: (\w+), seed: (\d+)\}")
COMMAND = re.compile(r"(python stages/(?:train|evaluate|draw)\.py \S+) \S+")
TOKEN = re.compile(r"(behaviour/tokens/[\w-]+/)(\w+)(\.json)")


def migrate(root: Path) -> list[str]:
    """Rewrite the old params.yaml files, sweep spaces, records and locks under ``root``.

    Files in the current form stay unchanged, so a second call changes nothing. A call that was
    killed is completed by the next one.

    Returns:
        The files that were rewritten, relative to ``root``.
    """
    params = [path for path in _params_files(root) if "models" in read_yaml(path)]
    old = {path.relative_to(root): read_yaml(path) for path in params}
    records = {path: text for path in _records(root) if (text := _migrated_record(path))}
    # Each file is written whole, and this order lets a second call complete a killed one. Locks go
    # before the records: the sums of the old records tell which stages are up to date. An old
    # params.yaml goes last, since all before is derived from it, and it marks what is left to do.
    changed = [_write_promotions(path) for path in params]
    changed += [path for path in root.glob("sweeps/*.yaml") if _migrate_space(path)]
    changed += [lock for lock in _locks(root) if _migrate_lock(root, lock, records, old)]
    for path, text in records.items():
        write_text(path, text)
    for path in params:
        _migrate_params(path)
    return [str(path.relative_to(root)) for path in [*changed, *records, *params]]


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


def _write_promotions(path: Path) -> Path:
    """Write the promoted variants of an old params.yaml to promoted.yaml, and return its path."""
    values = read_yaml(path)
    file = path.with_name(PROMOTED)
    promoted = values.get("promoted") or {}
    runs = {key: values["runs"][key] for key in _promoted_runs(values)}
    moved = {
        "runs": {key: renamed_run(run, _beside(values["file"])) for key, run in runs.items()},
        "variants": {name: values["models"][name] for name in promoted},
        "promoted": promoted,
    }
    write_promotions(file, Promotions.model_validate(moved))
    return file


def _promoted_runs(values: dict[str, Any]) -> list[str]:
    """Return the keys of the runs of promoted variants in an old params.yaml."""
    promoted = values.get("promoted") or {}
    return [key for key, run in values["runs"].items() if run["model"] in promoted]


def _beside(file: str) -> str:
    """Return the path of the promoted.yaml beside a params.yaml."""
    return str(Path(file).with_name(PROMOTED))


def _migrate_params(path: Path) -> None:
    """Rename the keys of a params.yaml, and remove its promoted variants.

    The keys are renamed in the text, so that comments stay.
    """
    values = read_yaml(path)
    text = path.read_text(encoding="utf-8")
    promoted = values.get("promoted") or {}
    keys = _promoted_runs(values)
    for section, names in (("runs", keys), ("models", promoted.keys()), ("", {"promoted"})):
        text = _without(text, section, names)
    own = values["file"]
    text = RUN.sub(lambda run: _run(run, own), text)
    text = re.sub(r"^models:", "variants:", text, flags=re.MULTILINE)
    text = re.sub(r"^(file: .*\n)", rf"\1promotions: {_beside(own)}\n", text, flags=re.MULTILINE)
    write_text(path, text)


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


def _migrated_record(path: Path) -> str | None:
    """Return the text of a record, or of a list of records, with ``variant`` instead of ``model``.

    None if the file has the current form.
    """
    content = read_json(path)
    records = content if isinstance(content, list) else [content]
    if not any("model" in record for record in records):
        return None
    renamed = [
        {("variant" if key == "model" else key): value for key, value in record.items()}
        for record in records
    ]
    return json_text(renamed if isinstance(content, list) else renamed[0])


Sum = tuple[str, int]
"""MD5 and size in bytes of a file or folder, as in DVC's locks."""


def _sums(root: Path, stages: Mapping[str, Any]) -> dict[str, Sum]:
    """Return MD5 and size of the files and folders in results/ that stages name, by path.

    The paths are dependencies or outputs in a lock. Missing paths are left out.
    """
    paths = {entry["path"] for stage in stages.values() for entry in _entries(stage)}
    return {path: _sum(root / path, {}) for path in paths
            if path.startswith("results/") and (root / path).exists()}  # fmt: skip


def _entries(stage: dict[str, Any]) -> list[dict[str, Any]]:
    return [*stage.get("deps", []), *stage.get("outs", [])]


def _sum(path: Path, texts: Mapping[Path, str]) -> Sum:
    """Compute MD5 and size as DVC does: a folder's MD5 is the MD5 of the JSON list of its files.

    Args:
        texts: texts that replace the contents of files, by path.
    """
    if path.is_file():
        content = texts[path].encode() if path in texts else path.read_bytes()
        return hashlib.md5(content).hexdigest(), len(content)
    files = [file for file in path.rglob("*") if file.is_file()]
    sums = {file.relative_to(path).as_posix(): _sum(file, texts) for file in files}
    listed = [{"md5": sums[name][0], "relpath": name} for name in sorted(sums)]
    digest = hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    return f"{digest}.dir", sum(size for _, size in sums.values())


def _migrate_lock(
    root: Path, lock: Path, records: Mapping[Path, str], old: dict[Path, dict[str, Any]]
) -> bool:
    """Rewrite a lock so that stages that were up to date stay up to date.

    Args:
        records: the new texts of the records that are not rewritten yet, by path.
        old: the contents of the old params.yaml files, by path from ``root``.

    Returns:
        Whether the lock has changed.
    """
    yaml = YAML()
    yaml.width = 10**9
    text = lock.read_text(encoding="utf-8")
    content = yaml.load(text)
    stages = content.get("stages", {})
    before = _sums(root, stages)
    for stage in stages.values():
        stage["cmd"] = COMMAND.sub(r"\1", stage["cmd"])  # the run is named by DVC_STAGE now
        for entry in _entries(stage):
            entry["path"] = TOKEN.sub(lambda t: t[1] + t[2].replace("_", "-") + t[3], entry["path"])
            known = before.get(entry["path"])
            if known and (entry.get("md5"), entry.get("size")) == known:
                entry["md5"], entry["size"] = _sum(root / entry["path"], records)
        for file in [file for file in stage.get("params", {}) if Path(file) in old]:
            _migrate_params_of(stage["params"], file, old[Path(file)])
    if content == YAML(typ="safe").load(text):
        return False  # other line breaks are no change
    out = io.StringIO()
    yaml.dump(content, out)
    write_text(lock, out.getvalue())
    return True


def _migrate_params_of(params: dict[str, Any], file: str, old: dict[str, Any]) -> None:
    """Rename the parameters in a stage's lock. Parameters in the current form stay unchanged.

    The parameters of promoted variants move from the section of params.yaml to promoted.yaml.

    Args:
        params: the stage's parameters by file, which are changed in place.
        file: the path of params.yaml.
        old: the content of params.yaml before the migration.
    """
    promoted = old.get("promoted") or {}
    beside = _beside(file)
    kept, moved = {}, {}
    for key, value in params[file].items():
        section, _, name = key.partition(".")
        if key == "runs" and any("model" in run for run in value.values()):
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
