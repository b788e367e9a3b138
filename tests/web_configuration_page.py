"""Writes the tables of docs/web-configuration.md from the types: ``python -m tests.web_configuration_page``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from oxidized_exporter.web.web_config_loader import json_schema
from tests.configuration_page import tables

PAGE: Final = Path(__file__).parent.parent / "docs" / "web-configuration.md"
_BEGIN: Final = "<!-- keys: written by `make docs` from the types in oxidized_exporter/web/web_config.py -->"
_END: Final = "<!-- /keys -->"


def page() -> str:
    """Return the page as it is, with the tables as they have to be."""
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return "\n".join([before + _BEGIN, *tables(json_schema()), "", _END + after])


if __name__ == "__main__":
    PAGE.write_text(page())
