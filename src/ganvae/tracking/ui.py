"""Sync all profiles to MLflow, and print a link to the page of each data set."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator

from mlflow.entities import Run

from ganvae.core.errors import exit_with_message
from ganvae.tracking.links import experiment_url
from ganvae.tracking.recorded import current_runs
from ganvae.tracking.store import connected, find_store
from ganvae.tracking.sync import sync


def show(address: str) -> None:
    """Sync all profiles to MLflow, and print links to pages on the server at ``address``."""
    report = sync()
    with connected(find_store()) as client:
        runs = current_runs(client)
    print("\n".join([str(report), *links(address, runs)]), flush=True)


def links(address: str, runs: Iterable[Run]) -> Iterator[str]:
    """Yield one line per data set: its name, its profiles and the URL of its page.

    The page has links to the charts and comparisons of each profile.
    """
    profiles: dict[tuple[str, str], set[str]] = defaultdict(set)
    for run in runs:
        tags = run.data.tags
        profiles[tags["dataset"], run.info.experiment_id].add(tags["profile"])
    for (dataset, experiment), names in sorted(profiles.items()):
        named = ", ".join(sorted(names))
        yield f"{dataset} ({named}): {experiment_url(address, experiment)}"


if __name__ == "__main__":
    exit_with_message(lambda: show(sys.argv[1]))
