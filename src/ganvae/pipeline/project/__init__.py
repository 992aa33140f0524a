"""Projects: a benchmark in a folder of the user's own, with the installed program.

A project has the layout of the repository, but no source code. Its stages are the program's.
"""
