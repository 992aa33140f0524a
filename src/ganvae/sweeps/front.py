"""The Pareto front of a study of two objectives."""

from ganvae.scores.studies import StudyRecord, TrialRecord


def pareto_front(record: StudyRecord) -> list[TrialRecord]:
    """The scored trials that no other one beats or equals in both, by rising first objective."""
    front: list[TrialRecord] = []
    for trial in sorted(record.scored, key=lambda trial: trial.values):
        if not front or trial.values[-1] < front[-1].values[-1]:
            front.append(trial)
    return front
