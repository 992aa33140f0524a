"""The systems, one per module. A new file here is a new system.

A module is named like its system, with underscores instead of hyphens.
"""
