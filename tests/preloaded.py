"""What the commands in tests import, beside what the stages do."""

import ganvae.cli.sweep
import ganvae.report.record_files
import ganvae.sampling
import ganvae.scoring
import ganvae.standalone  # noqa: F401
