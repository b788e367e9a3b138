from __future__ import annotations

from tests.metrics_page import PAGE, page


def test_the_metrics_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `make docs`"
