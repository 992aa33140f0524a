"""Turn score records into tables, figures and pages that people read."""
