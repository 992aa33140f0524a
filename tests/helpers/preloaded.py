"""What the commands in tests import, beside what the stages do."""
