from __future__ import annotations

from importlib.util import find_spec

# `make mutation` runs it; the suite does without the extra, and CI takes a skipped test for one that is missing.
collect_ignore = [] if find_spec("mutmut") else ["test_mutants.py"]
