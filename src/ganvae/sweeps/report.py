"""`ganvae sweep report`: what is worth keeping of a study, in `results/sweeps/<study>/`."""

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
    """Write a study's folder anew, from the storage; without that from the record written before.

    Returns:
        What was done, in a line.

    Raises:
        UserError: the study is neither in the storage nor in a record, or the record holds trials
            that the storage does not have.
    """
    path = root / SWEEPS / name / RECORD
    source = ""
    try:
        record = record_of(*load_study(name, url))
    except UserError as error:
        if not path.exists():
            raise
        record = read_study(path)
        source = f" (from {path} alone: {error})"
    else:
        if not record.trials:
            raise UserError(f"study {name!r} has no finished trial yet: `ganvae sweep worker`.")
        _check_nothing_is_lost(path, record)
    folder = write_report(root, record)
    return f"{folder}: {len(record.trials)} trials, {by_status(record)}{source}"


def write_report(root: Path, record: StudyRecord) -> Path:
    """Write record, effects, trials, summary and pictures under ``root``; return their folder.

    The folder is replaced as a whole, by the same bytes for the same record.
    """
    with TemporaryDirectory() as scratch:
        made = write_study(Path(scratch), record)
        effects = effects_of(record)
        write_json(made / EFFECTS, effects.model_dump(mode="json"))
        write_trials(made / "trials.csv", record)
        draw_pictures(made, record, effects)
        pictures = [name for name in PICTURES if (made / name).exists()]
        write_text(made / "summary.md", summary(record, effects, pictures))
        folder = root / made.relative_to(scratch)
        with replacing(folder) as temporary:
            shutil.copytree(made, temporary)
    return folder


def _check_nothing_is_lost(path: Path, record: StudyRecord) -> None:
    """See that the storage still has every trial of the record that is there.

    Raises:
        UserError: it does not; it is another study of that name.
    """
    if not path.exists():
        return
    here = {(trial.number, trial.started) for trial in record.trials}
    gone = [t.number for t in read_study(path).trials if (t.number, t.started) not in here]
    if gone:
        raise UserError(
            f"{path} has {len(gone)} trials that the storage's study {record.study!r} has not: it "
            "is another study of that name. Delete the folder to replace it, or give another "
            "--storage."
        )
