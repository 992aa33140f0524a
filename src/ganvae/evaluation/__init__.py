"""Measure trained models, and make score records from the measurements."""
