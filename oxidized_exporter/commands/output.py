"""Stdout that cannot be written: full, or closed by who called."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_no_more() -> None:
    """Let go of what could not be written, or Python would try again at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def writing(*, exit_code: int) -> Iterator[None]:
    """Write all to stdout at the end, and where that fails say so on stderr and end with ``exit_code``.

    A reader who has seen enough (``| head``) is left to click, which ends without a word.
    """
    if sys.stdout is None:
        click.echo("Error: stdout is closed", err=True)
        sys.exit(exit_code)
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        write_no_more()
        click.echo(f"Error: stdout cannot be written: {os.strerror(error.errno or errno.EIO)}", err=True)
        sys.exit(exit_code)
