"""Pictures of one run. Each can be read on its own."""
