"""The systems (kinds of model), one per module. A new module in this folder is a new system.

The name of a module is the name of its system, with underscores instead of hyphens.
"""
