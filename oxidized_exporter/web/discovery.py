"""``/sd``: the configured targets as Prometheus's HTTP service discovery takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from aiohttp import hdrs, web

from oxidized_exporter.errors import CallerError, OwnUrlError
from oxidized_exporter.web.answers import NO_SNIFF, plain
from oxidized_exporter.web.own_url import own_url
from oxidized_exporter.web.parameters import parse_module
from oxidized_exporter.web.state import EXPORTER

if TYPE_CHECKING:
    from oxidized_exporter.config import Config, Module
    from oxidized_exporter.web.own_url import OwnUrl


class Group(TypedDict):
    """Addresses to scrape and the labels that they have: one entry of Prometheus's format."""

    targets: list[str]
    labels: dict[str, str]


async def discover(request: web.Request) -> web.Response:
    """Answer with one group for each configured target, so that a job needs no relabelling.

    400 where the module is unknown, or the Host header that is needed is missing or no host and port.
    """
    exporter = request.app[EXPORTER]
    settings, config = exporter.settings, exporter.running.config
    try:
        module = parse_module(request.query, config=config)
        own = own_url(
            settings.external_url,
            route_prefix=settings.route_prefix,
            scheme=request.scheme,
            hosts=request.headers.getall(hdrs.HOST, []),
        )
    except CallerError as error:
        return plain(str(error), status=error.status)
    except OwnUrlError as error:
        return plain(f"{error}; or start the exporter with --web.external-url", status=400)
    return web.json_response(groups(config, module=module, own=own), headers=NO_SNIFF)


def groups(config: Config, *, module: Module | None, own: OwnUrl) -> list[Group]:
    """Return a group for each target of ``config``.

    Args:
        config: whose targets.
        module: that all of them are probed with; None for the module of each. A job's own ``params`` win over both.
        own: where Prometheus reaches this exporter.
    """
    return [
        {
            "targets": [own.address],
            "labels": {
                **entry.labels,
                "__scheme__": own.scheme,
                "__metrics_path__": f"{own.path}/probe",
                "__param_target": name,
                "__param_module": entry.module if module is None else module.name,
                "instance": name,
            },
        }
        for name, entry in config.targets.items()
    ]
