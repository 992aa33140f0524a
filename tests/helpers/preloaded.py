"""Imports that commands in tests need, in addition to the imports of the stages."""
