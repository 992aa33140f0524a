"""The output of `ganvae repro`: a few lines in a log, a live view on a terminal."""

import io
import re

import pytest
from rich.console import Console

from ganvae.pipeline import board
from ganvae.pipeline.board import Board, LiveBoard, duration

OF_A_RUN = [
    "Running stage 'profiles/smoke/dvc.yaml:train@dcgan-0':",
    "> python stages/train.py profiles/smoke/params.yaml dcgan-0",
    "dcgan-0: step 0 of 40",
    "dcgan-0: step 20 of 40, d_loss 1.089, g_loss 0.7718",
    "warning: something is odd",
    "",
    "Updating lock file 'dvc.lock'",
    "To enable auto staging, run:",
    "\tdvc config core.autostage true",
]


def test_a_log_has_the_lines_of_stages_but_not_those_of_dvc(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = Board()
    for line in OF_A_RUN:
        shown.line("dcgan-0", line)
    assert capsys.readouterr().out.splitlines() == [
        "             dcgan-0 | train",
        "             dcgan-0 | dcgan-0: step 20 of 40, d_loss 1.089, g_loss 0.7718",
        "             dcgan-0 | warning: something is odd",
    ]


def test_markup_and_long_lines_are_printed_unchanged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Board().line("dcgan-0", "[red]x[/] " + "y" * 300)
    assert capsys.readouterr().out == "             dcgan-0 | [red]x[/] " + "y" * 300 + "\n"


def test_after_each_run_the_log_estimates_the_remaining_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(board.time, "monotonic", lambda: clock[0])
    shown = Board()
    shown.expect(4)
    clock[0] += 120
    shown.end("dcgan-0", failed=False)
    shown.end("vae-gan-0", failed=True)
    clock[0] += 480
    shown.end("conv-vae-0", failed=False)
    shown.end("dcgan-1", failed=False)
    assert capsys.readouterr().out.splitlines() == [
        "dcgan-0: done (1 of 4 runs, about 6 min left)",
        "vae-gan-0: failed (2 of 4 runs, about 2 min left)",
        "conv-vae-0: done (3 of 4 runs, about 3 min left)",
        "dcgan-1: done (4 of 4 runs)",
    ]


def test_the_standings_are_a_short_table(capsys: pytest.CaptureFixture[str]) -> None:
    Board().standings([("dcgan-tuned", "5.3 ± 0.4", 3, 5), ("dcgan", "24.8", 1, 3)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["variant", "so", "far", "FID", "(judge)", "seeds"],
        ["dcgan-tuned", "5.3", "±", "0.4", "3", "of", "5"],
        ["dcgan", "24.8", "1", "of", "3"],
    ]


def test_a_terminal_shows_one_line_per_active_run_and_a_bar_over_all_runs() -> None:
    shown = LiveBoard()
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=120)
    shown._progress.live.console = console
    shown.start()
    shown.expect(2)
    for line in OF_A_RUN:
        shown.line("dcgan-0", line)
    shown.line("conv-vae-0", "Running stage 'dvc.yaml:evaluate@conv-vae-0':")
    with console.capture() as live:
        console.print(shown._progress.get_renderable())
    plain = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line) for line in live.get().splitlines()]
    rows = [line for line in plain if line.strip()]
    assert re.search(r"all runs .* 0/2 ", rows[0])
    assert re.search(r"dcgan-0 .* 20/40 .* d_loss 1.089, g_loss 0.7718", rows[1])
    assert re.search(r"conv-vae-0 .* evaluate", rows[2])
    shown.end("dcgan-0", failed=False)
    assert list(shown._tasks) == ["conv-vae-0"]
    shown.stop()
    assert "warning: something is odd" in output.getvalue()
    assert "dcgan-0: done (1 of 2 runs, about" in output.getvalue()


def test_a_second_round_of_runs_is_counted_from_0(capsys: pytest.CaptureFixture[str]) -> None:
    for shown in (Board(), LiveBoard()):
        for runs in (2, 1):
            shown.expect(runs)
            for number in range(runs):
                shown.line(f"dcgan-{number}", "Running stage 'dvc.yaml:anneal@dcgan-0':")
                shown.end(f"dcgan-{number}", failed=False)
        assert "dcgan-0: done (1 of 1 runs)" in capsys.readouterr().out.splitlines()
    assert len(shown._progress.task_ids) == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4, "4 s"), (89, "89 s"), (125, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
