"""Score records, statistics over them, and comparisons between variants."""
