"""Check that the code behaves as before, and update the records and tokens of its behaviour.

A *fingerprint* is a named part of the behaviour, such as ``train/dcgan``. It has two files. Its
*record* holds the measured numbers and the kind of processor that measured them. Its *token* is a
small file that changes only when the behaviour changes; expensive stages depend on the token. A
record may gain entries (a new option, a new score) while its token stays, because the earlier
entries are unchanged.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json, write_text
from ganvae.core.processor import processor
from ganvae.core.tokens import LOCKED, MEASURED, record_path, source_checksum, token_path
from ganvae.pipeline.behaviour.before import Before, last_commit
from ganvae.pipeline.behaviour.measure import Record, joint_tokens, measure

DECISIVE = (
    "matplotlib",
    "numpy",
    "pillow",
    "safetensors",
    "scikit-learn",
    "scipy",
    "torch",
    "torchmetrics",
)
"""The libraries whose versions decide numbers or pictures."""
TOLERANCE = 1e-3
"""Relative tolerance between processors, for committed code that cannot be measured here."""

Verdict = Literal[
    "new",
    "same",
    "grown",
    "restored",
    "same on this processor",
    "measured otherwise",
    "alike",
    "moved",
]


class Finding(NamedTuple):
    """The verdict on one fingerprint; ``what`` names the entries of its record that differ."""

    name: str
    verdict: Verdict
    what: list[str]


def refresh(root: Path) -> list[Finding]:
    """Measure the current code, and change the token of each fingerprint whose behaviour changed.

    If numbers differ, the code of the last commit that changed records is measured on this
    processor, too. If both versions of the code give the same numbers, only the processor or the
    way of measuring has changed, and the token stays.

    Args:
        root: the repository's root.

    Returns:
        One finding per fingerprint.

    Raises:
        UserError: the source was edited during the measurement.
    """
    source = source_checksum(root)  # before measuring, so that later edits are noticed
    measured = measure()
    now = Now(root)
    if source_checksum(root) != source:
        raise UserError(
            "src/ was edited while the behaviour of the code was measured. "
            "Run the same command again."
        )
    findings = [_judged(root, name, new, now) for name, new in measured.items()]
    joint = {name: parts for name, parts in joint_tokens().items() if {*parts} <= measured.keys()}
    for name, parts in joint.items():
        _write_token(root, name, [(root / token_path(part)).read_text() for part in parts])
    _remove_others(root, {*measured, *joint})
    write_json(root / MEASURED, {"source": source})
    return findings


class Now:
    """The circumstances of a measurement: processor, libraries and committed code.

    Each attribute is computed on first use.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def machine(self) -> str:
        return processor(threads=1)

    @cached_property
    def libraries(self) -> dict[str, str]:
        return libraries(self._root)

    @cached_property
    def before(self) -> Before | None:
        return last_commit(self._root)

    @cached_property
    def old_code_measured_anew(self) -> dict[str, Record]:
        """Records of the last commit's code, measured with the current version of this package."""
        return self.before.measured_anew(self.machine) if self.before else {}

    @cached_property
    def old_code(self) -> dict[str, Record]:
        """Records of the last commit's code, measured here with the commit's copy of this package.

        The mapping is empty if the commit's code cannot be measured.
        """
        return self.before.measured(self.machine) if self.before else {}


def _judged(root: Path, name: str, new: Record, now: Now) -> Finding:
    """Compare a new record with the stored and the committed record, and write changed files."""
    stored = _read(root / record_path(name))
    complete = stored is not None and (root / token_path(name)).exists()
    if stored and complete and not list(differences(stored["behaviour"], new)):
        if stored["behaviour"] == new and stored["libraries"] == now.libraries:
            return Finding(name, "same", [])
        _write_record(root, name, new, now)
        return Finding(name, "grown", [])
    # The stored record may come from an edit that was reverted since.
    committed = now.before.record(name) if now.before else None
    differing = list(differences((committed or stored or {}).get("behaviour", {}), new))
    if committed and now.before and _comparable(committed, stored, new, now):
        if not differing:
            now.before.restore(name)
            return Finding(name, "restored", [])
        if name in now.old_code and not list(differences(now.old_code[name], new)):
            now.before.restore(name)
            if _beyond(new, now.old_code[name]):  # a record never mixes processors
                _write_record(root, name, new, now)
            return Finding(name, "same on this processor", differing)
        anew = now.old_code_measured_anew
        if name in anew and not list(differences(anew[name], new)):
            now.before.restore(name)
            _write_record(root, name, new, now)
            return Finding(name, "measured otherwise", differing)
    if stored and _alike(stored, new, now) and not now.old_code:
        return Finding(name, "alike", differing)
    _write_record(root, name, new, now)
    _write_token(root, name, new)
    return Finding(name, "moved" if stored else "new", differing)


def _comparable(committed: Record, stored: Record | None, new: Record, now: Now) -> bool:
    """Return whether the committed record describes the behaviour before the current edit.

    The answer is no if other libraries are locked now, or if the revision was raised by hand. The
    answer is also no if an entry that was added after the commit has changed since.
    """
    if committed["libraries"] != now.libraries:
        return False
    if committed["behaviour"].get("revision") != new.get("revision"):
        return False
    added = _beyond(stored["behaviour"], committed["behaviour"]) if stored else {}
    return not list(differences(_within(added, new), new))


def _beyond(more: Any, known: Any) -> Any:
    """Return the entries of ``more`` that ``known`` lacks, at any depth."""
    if not (isinstance(more, dict) and isinstance(known, dict)):
        return {}
    inner = {key: _beyond(value, known[key]) for key, value in more.items() if key in known}
    only = {key: value for key, value in more.items() if key not in known}
    return only | {key: value for key, value in inner.items() if value}


def _within(some: Any, known: Any) -> Any:
    """Return the entries of ``some`` whose keys ``known`` also has, at any depth.

    The values may differ between the two mappings.
    """
    if not (isinstance(some, dict) and isinstance(known, dict)):
        return some
    return {key: _within(value, known[key]) for key, value in some.items() if key in known}


def _alike(stored: Record, new: Record, now: Now) -> bool:
    """Return whether another processor with equal libraries gave equal numbers within `TOLERANCE`.

    The numbers of the stored record are compared with the numbers of the new record.
    """
    if stored["machine"] == now.machine or stored["libraries"] != now.libraries:
        return False
    return not list(differences(stored["behaviour"], new, TOLERANCE))


def differences(old: Any, new: Any, tolerance: float = 0.0, path: str = "") -> Iterator[str]:
    """Yield the dotted names of entries that ``new`` lacks or that have another value in ``new``.

    An entry that only ``new`` has is not a difference.

    Args:
        old, new: the two contents; dicts and lists are compared entry by entry.
        tolerance: the allowed difference of two numbers, relative to the larger number.
        path: the dotted name of ``old`` in the record that contains ``old``.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            inside = f"{path}.{key}" if path else key
            if key in new:
                yield from differences(value, new[key], tolerance, inside)
            else:
                yield inside
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for value, other in zip(old, new, strict=True):
            yield from differences(value, other, tolerance, path)
    elif not _equal(old, new, tolerance):
        yield path


def _equal(old: Any, new: Any, tolerance: float) -> bool:
    numbers = isinstance(old, float | int) and isinstance(new, float | int)
    if numbers and tolerance:
        return math.isclose(old, new, rel_tol=tolerance, abs_tol=1e-9)
    return bool(old == new) or (numbers and math.isnan(old) and math.isnan(new))


def _write_token(root: Path, name: str, content: Any) -> None:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    write_text(root / token_path(name), json.dumps({"behaviour": digest[:16]}) + "\n")


def _write_record(root: Path, name: str, new: Record, now: Now) -> None:
    record = {"machine": now.machine, "libraries": now.libraries, "behaviour": new}
    write_text(root / record_path(name), _text(record))


def _text(record: Mapping[str, Any]) -> str:
    """Return the record as JSON, with each innermost list on one line, for readable diffs."""
    innermost = re.compile(r"\[\s+([^\[\]{}]*?)\s+\]")
    text = json.dumps(record, indent=1)
    return innermost.sub(lambda match: "[" + " ".join(match[1].split()) + "]", text) + "\n"


def _read(path: Path) -> Record | None:
    if not path.exists():
        return None
    record: Record = read_json(path)
    if not {"machine", "libraries", "behaviour"} <= record.keys():
        raise UserError(
            f"{path} is not a record of behaviour. Restore this file from git, or delete it."
        )
    return record


def _remove_others(root: Path, names: set[str]) -> None:
    """Delete the records and tokens that are not in ``names``, for example of removed systems."""
    for kind in (record_path, token_path):
        folder = root / kind("x").parent
        for path in folder.rglob("*.json"):
            if str(path.relative_to(folder).with_suffix("")) not in names:
                path.unlink()


def libraries(root: Path) -> dict[str, str]:
    """Return the locked versions of the libraries in `DECISIVE`, by name."""
    path = root / LOCKED
    return _locked(path.read_text()) if path.exists() else {}


def _locked(text: str) -> dict[str, str]:
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^\s;+]+)", text, flags=re.MULTILINE))
    return {name: pins[name] for name in DECISIVE if name in pins}
