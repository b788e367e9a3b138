"""``/sd`` over real sockets, and the prefix that it and all other routes stand below."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest

from oxidized_exporter.config import Config, Module, TargetEntry
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.web.own_url import parse_external_url
from oxidized_exporter.web.state import Settings
from tests.harness import Probing, running_exporter

CONFIG: Final = Config(
    modules={"audit": Module(name="audit")},
    targets={
        "eu": TargetEntry(name="eu", target=parse_target("https://oxidized.eu.example.net/oxidized"), module="audit"),
        "us": TargetEntry(name="us", target=parse_target("http://10.0.0.1:8888"), labels={"region": 'us"\n\\ü'}),
    },
)


def group(name: str, *, module: str, address: str, path: str = "/probe", scheme: str = "http", **labels: str) -> Any:
    return {
        "targets": [address],
        "labels": {
            **labels,
            "__scheme__": scheme,
            "__metrics_path__": path,
            "__param_target": name,
            "__param_module": module,
            "instance": name,
        },
    }


async def found(exporter: Probing, path: str = "/sd", **headers: str) -> Any:
    async with exporter.session.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        return await response.json()


async def raw(exporter: Probing, request: bytes) -> tuple[int, str]:
    """Send a request as it stands, and return status and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", exporter.port)
    writer.write(request)
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


async def test_a_group_for_each_target_with_the_module_that_belongs_to_it() -> None:
    async with running_exporter(config=CONFIG) as exporter:
        here = f"127.0.0.1:{exporter.port}"
        assert await found(exporter) == [
            group("eu", module="audit", address=here),
            group("us", module="default", address=here, region='us"\n\\ü'),
        ]


async def test_one_module_for_all() -> None:
    async with running_exporter(config=CONFIG) as exporter:
        for module in ("audit", "default"):
            groups = await found(exporter, f"/sd?module={module}")
            assert [each["labels"]["__param_module"] for each in groups] == [module, module]


@pytest.mark.parametrize(
    "query, why",
    [
        ("module=nope", "module: no module 'nope'; there are: audit, default"),
        ("module=", "module: no module ''; there are: audit, default"),
        ("module=audit&module=audit", "module: given 2 times"),
    ],
)
async def test_an_unknown_module_is_400_as_of_a_probe(query: str, why: str) -> None:
    async with running_exporter(config=CONFIG) as exporter:
        for path in (f"/sd?{query}", f"/probe?target=eu&{query}"):
            response = await exporter.get(path)
            assert (response.status, await response.text()) == (400, f"{why}\n")


async def test_without_targets_it_is_an_empty_list() -> None:
    async with running_exporter() as exporter:
        assert await found(exporter) == []


async def test_the_address_is_as_the_caller_wrote_it() -> None:
    async with running_exporter(config=CONFIG) as exporter:
        for host, address in {
            "exporter.example.net": "exporter.example.net:80",
            "Exporter.monitoring.svc:10888": "exporter.monitoring.svc:10888",
            "[::1]:10888": "[::1]:10888",
        }.items():
            assert {each["targets"][0] for each in await found(exporter, Host=host)} == {address}


@pytest.mark.parametrize(
    "headers", [b"", b"Host: \r\n", b"Host: a@b\r\n", b'Host: a"},{"b\r\n', b"Host: a/b?c\r\n", b"Host: a\xff\r\n"]
)
async def test_a_host_header_that_is_missing_or_hostile_is_400(headers: bytes) -> None:
    request = b"GET /sd HTTP/1.0\r\n" + headers + b"\r\n"  # HTTP/1.1 without Host is refused by aiohttp
    async with running_exporter(config=CONFIG) as exporter:
        status, body = await raw(exporter, request)
        assert status == 400
        assert body.startswith("Host: ")
        assert body.endswith("; or start the exporter with --web.external-url\n")
    settings = Settings(external_url=parse_external_url("https://example.net"), timeout_offset=0)
    async with running_exporter(config=CONFIG, settings=settings) as exporter:
        status, body = await raw(exporter, request)
        assert status == 200
        assert {each["targets"][0] for each in json.loads(body)} == {"example.net:443"}


async def test_two_host_headers_are_400() -> None:
    async with running_exporter(config=CONFIG) as exporter:
        status, _ = await raw(exporter, b"GET /sd HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
        assert status == 400


async def test_the_external_url_says_scheme_address_and_path() -> None:
    settings = Settings(external_url=parse_external_url("https://example.net/oxidized"), timeout_offset=0)
    async with running_exporter(config=CONFIG, settings=settings) as exporter:
        first, _ = await found(exporter)
    assert first == group("eu", module="audit", address="example.net:443", path="/oxidized/probe", scheme="https")


ROUTES: Final = {
    "/": 200,
    "/probe?target=nope": 400,
    "/metrics": 200,
    "/sd": 200,
    "/config": 200,
    "/-/healthy": 200,
    "/-/ready": 200,
    "/-/reload": 405,
}


async def test_all_routes_stand_below_the_prefix_and_nowhere_else() -> None:
    settings = Settings(route_prefix="/a/b", timeout_offset=0)
    async with running_exporter(config=CONFIG, settings=settings) as exporter:
        served = {route.resource.canonical for route in exporter.app.router.routes() if route.resource is not None}
        assert served == {"/", "/a/b", *(f"/a/b{path.partition('?')[0]}" for path in ROUTES)}
        for path, status in ROUTES.items():
            assert (await exporter.get(f"/a/b{path}")).status == status, path
            if path != "/":
                assert (await exporter.get(path)).status == 404, path
        assert (await found(exporter, "/a/b/sd"))[0]["labels"]["__metrics_path__"] == "/a/b/probe"


@pytest.mark.parametrize("path", ["/", "/a/b"])
async def test_who_asks_above_the_prefix_is_led_below_it(path: str) -> None:
    async with running_exporter(settings=Settings(route_prefix="/a/b")) as exporter:
        async with exporter.session.get(path, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, "/a/b/")
        assert 'name="target"' in await (await exporter.get(path)).text()
