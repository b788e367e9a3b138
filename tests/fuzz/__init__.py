"""Fuzzing: what must hold whatever a target, a caller or a file says, and the programs that look for what breaks it.

Each module of `targets.TARGETS` has one function ``check``, which is given bytes and raises where something does not
hold. `make fuzz` calls them with what atheris makes up; the suite calls them with what has been kept of that.
"""
