"""One module per data set, which defines ``DATASET``. A new module adds a new data set."""
