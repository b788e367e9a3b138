"""Writes tests/golden/ anew: ``python -m tests.golden_files``."""

import asyncio

from tests.web.test_recordings import write_golden_files

if __name__ == "__main__":
    asyncio.run(write_golden_files())
