"""A real Prometheus as a process of its own, and its HTTP API."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import yaml

from tests.rule_files import PROMETHEUS
from tests.system.program import Exporter, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

Json = dict[str, Any]

_EXPORTER = "oxidized-exporter.example.net:10888"


class Prometheus:
    """The HTTP API of a Prometheus."""

    def __init__(self, client: aiohttp.ClientSession, address: str) -> None:
        self._client = client
        self._url = f"http://{address}/api/v1"

    async def get(self, what: str, **params: str) -> Json:
        async with self._client.get(f"{self._url}/{what}", params=params) as response:
            data: Json = (await response.json())["data"]
            return data

    async def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the labels and the present value of each series."""
        result = (await self.get("query", query=expression))["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    async def by(self, label: str, expression: str) -> dict[str, float]:
        """Return the present values by the label that tells the series apart."""
        series = await self.query(expression)
        values = {labels[label]: value for labels, value in series}
        assert len(values) == len(series), f"{label} does not tell these apart: {series}"
        return values

    async def label_values(self, label: str, selector: str) -> list[str]:
        """Return the values that a label has in the series that are selected, in their order."""
        params = {"match[]": selector}
        async with self._client.get(f"{self._url}/label/{label}/values", params=params) as response:
            values: list[str] = (await response.json())["data"]
            return values

    async def alerts(self) -> list[tuple[str, Json]]:
        """Return state and labels of each alert that is not inactive."""
        return [(alert["state"], alert["labels"]) for alert in (await self.get("alerts"))["alerts"]]


def free_address() -> str:
    """Return an address of the loopback interface that nobody listens on at present."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@asynccontextmanager
async def prometheus(
    directory: Path,
    *jobs: Json,
    rules: Json,
    alertmanager: str | None = None,
    scrape_interval: str = "1s",
    evaluation_interval: str = "200ms",
) -> AsyncIterator[Prometheus]:
    """Run a Prometheus with these rules; one that has an Alertmanager sends its alerts to that address."""
    receivers = [] if alertmanager is None else [{"static_configs": [{"targets": [alertmanager]}]}]
    config = {
        "global": {
            "scrape_interval": scrape_interval,
            "scrape_timeout": scrape_interval,
            "evaluation_interval": evaluation_interval,
        },
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": receivers},
        "scrape_configs": jobs,
    }
    (directory / "rules.yml").write_text(json.dumps(rules))
    (directory / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    address = free_address()
    command = (
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--web.listen-address={address}",
    )
    async with running(*command) as program, aiohttp.ClientSession() as client:
        await program.err.first("Server is ready")
        yield Prometheus(client, address)


def relabelled(targets: Sequence[str], exporter: Exporter) -> Json:
    """Return the shipped job that scrapes each target by itself and calls it by its address."""
    job = _shipped("relabelling.yml", exporter)
    job["static_configs"] = [{"targets": list(targets)}]
    return job


def together(targets: Sequence[str], exporter: Exporter) -> Json:
    """Return the shipped job that scrapes all targets in one request."""
    job = _shipped("several-targets.yml", exporter)
    job["params"]["target"] = list(targets)
    return job


def discovered(exporter: Exporter) -> Json:
    """Return the shipped job that asks the exporter for its targets, ten times a second."""
    job = _shipped("discovery.yml", exporter)
    job["http_sd_configs"][0]["refresh_interval"] = "100ms"
    return job | {"job_name": "oxidized-discovered"}


def _shipped(name: str, exporter: Exporter) -> Json:
    text = (PROMETHEUS / "scrape" / name).read_text()
    assert _EXPORTER in text
    (job,) = yaml.safe_load(text.replace(_EXPORTER, exporter.address))["scrape_configs"]
    shipped: Json = {key: value for key, value in job.items() if key not in {"scrape_interval", "scrape_timeout"}}
    return shipped
