"""Find the Pareto front of a study with two objectives."""

from ganvae.scores.studies import StudyRecord, TrialRecord


def pareto_front(record: StudyRecord) -> list[TrialRecord]:
    """Return the scored trials that no other trial beats or equals in both objectives.

    The trials are in ascending order of the first objective.
    """
    front: list[TrialRecord] = []
    for trial in sorted(record.scored, key=lambda trial: trial.values):
        if not front or trial.values[-1] < front[-1].values[-1]:
            front.append(trial)
    return front
