"""One module a model, named like it with underscores. A new file here is a new model."""
