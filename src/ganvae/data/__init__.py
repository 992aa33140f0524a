"""Data sources, their splits and the files that training reads."""
