"""`ganvae sweep report`: write the results of a study to `results/sweeps/<study>/`."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from ganvae.core.errors import UserError
from ganvae.core.files import replacing, write_json, write_text
from ganvae.report.sweep_effects import EFFECTS
from ganvae.report.sweep_text import PICTURES, by_status
from ganvae.scores.studies import RECORD, SWEEPS, StudyRecord, read_study, write_study
from ganvae.sweeps.effects import effects_of
from ganvae.sweeps.figures import draw_pictures
from ganvae.sweeps.records import record_of
from ganvae.sweeps.study import load_study
from ganvae.sweeps.summary import summary, write_trials


def report_study(name: str, url: str, root: Path = Path()) -> str:
    """Write a study's folder from the trials in the storage.

    If the study cannot be read from the storage, the record of an earlier report is used.

    Returns:
        A summary of the report, in one line.

    Raises:
        UserError: neither the storage nor a record has the study, the study has no finished trial,
            or the record has trials that the storage lacks.
    """
    path = root / SWEEPS / name / RECORD
    source = ""
    try:
        record = record_of(*load_study(name, url))
    except UserError as error:
        if not path.exists():
            raise
        record = read_study(path)
        source = f" (read from {path}, without the storage: {error})"
    else:
        if not record.trials:
            raise UserError(
                f"study {name!r} has no finished trial. Run trials with `ganvae sweep worker`."
            )
        _check_nothing_is_lost(path, record)
    folder = write_report(root, record)
    return f"{folder}: {len(record.trials)} trials, {by_status(record)}{source}"


def write_report(root: Path, record: StudyRecord) -> Path:
    """Write record, effects, trials, summary and pictures of a study; return their folder.

    The folder is ``results/sweeps/<study>/`` below ``root``. An existing folder is replaced as a
    whole. Equal records give equal bytes.
    """
    with TemporaryDirectory() as scratch:
        draft = write_study(Path(scratch), record)
        effects = effects_of(record)
        write_json(draft / EFFECTS, effects.model_dump(mode="json"))
        write_trials(draft / "trials.csv", record)
        draw_pictures(draft, record, effects)
        pictures = [name for name in PICTURES if (draft / name).exists()]
        write_text(draft / "summary.md", summary(record, effects, pictures))
        folder = root / draft.relative_to(scratch)
        with replacing(folder) as temporary:
            shutil.copytree(draft, temporary)
    return folder


def _check_nothing_is_lost(path: Path, record: StudyRecord) -> None:
    """Check that the storage has every trial of the record that an earlier report wrote.

    Args:
        path: the file of the earlier record, which may be missing.
        record: the new record from the storage.

    Raises:
        UserError: trials are missing, so the storage has another study of the same name.
    """
    if not path.exists():
        return
    stored = {(trial.number, trial.started) for trial in record.trials}
    missing = [t.number for t in read_study(path).trials if (t.number, t.started) not in stored]
    if missing:
        raise UserError(
            f"{path} has {len(missing)} trials that study {record.study!r} in the storage lacks. "
            "So the file and the storage hold two different studies of the same name. "
            f"Delete the folder {path.parent} to write a new folder, or give another --storage."
        )
