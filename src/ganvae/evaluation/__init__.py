"""From trained models to score records."""
