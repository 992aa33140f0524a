"""Data sets, their splits, and the files that training reads."""
