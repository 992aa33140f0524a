"""Pictures of one run, each readable by someone who has seen nothing else of it."""
