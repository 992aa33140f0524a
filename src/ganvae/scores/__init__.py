"""Score records, statistics over score records, and comparisons between variants."""
