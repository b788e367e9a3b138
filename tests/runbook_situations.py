"""The situations that the runbooks show: an exporter, and simulated Oxidized instances in every kind of trouble.

The pages show fixed addresses and paths; here they are free ports and a temporary directory, translated both ways.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import ssl
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trustme
from aiohttp import web

from oxidized_exporter.demo import closed_port, daemons
from oxidized_exporter.simulator import FAULTS, Daemon, Fault, ManualClock, create_app, fleet
from oxidized_exporter.simulator.configurations import Configuration
from tests.harness import running
from tests.system.program import COMMAND, EXPORTER, exporting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp.typedefs import Handler

    from oxidized_exporter.simulator import Device

DAY: Final = 86400.0
MINUTE: Final = 60.0

EXPORTER_PORT: Final = 10888
SITUATIONS: Final[Mapping[int, str]] = {
    10889: "the healthy instance of `make demo`",
    10890: "the instance of `make demo` with failing and stale devices",
    10891: "the instance of `make demo` that is down",
    10892: "an instance behind TLS whose certificate expires in nine days",
    10893: "an instance with 500 devices and 3 threads, 12 minutes after its restart",
    10894: "an instance whose 30 threads have all hung since yesterday",
    10895: "an instance that dropped two devices at a reload",
    10896: "an instance whose source holds two devices twice",
    10897: "an instance that lists a device without a name",
    10898: "an instance with failing and stale devices, up for nine days",
    10899: "an instance that has stored an error text, the beginning of a configuration, and one that allows telnet",
    10900: "an instance behind a proxy that lets nobody fetch configurations",
    10901: "an instance behind a proxy that answers the statistics page with a form to log in",
}
"""What stands behind each port that a page shows."""

NEEDED: Final = ("bash", "curl", "openssl")
"""Programs that the pages' commands need beside awk, grep, sed and sort."""

_DEVICES: Final = 50  # as the demo has, if it is not told otherwise
_TLS_PORT: Final = 10892
_FILES: Final = (
    ("/etc/oxidized_exporter", "config.yml"),
    ("/etc/oxidized_exporter", "ca.pem"),
    ("/etc/oxidized_exporter", "new-ca.pem"),
    ("/etc/oxidized", "router.db"),
)
_NOT_FOUND: Final = 127  # of bash
_COMMAND_SECONDS: Final = 20.0

_GOOD: Final = """\
modules:
  default:
    max_devices: 10000
  small:
    max_devices: 40
  audit:
    collectors: [nodes, configs, stats]
    configs:
      checks:
        complete: {must_match: '^end\\s*\\z', models: [IOS]}
        no-telnet: {must_not_match: '^\\s*transport input .*\\btelnet\\b', models: [IOS]}
connections:
  - targets: ["https://127.0.0.1:*"]
    tls_config: {ca_file: ca.pem}
"""
_REFUSED: Final = _GOOD.replace("max_devices: 10000", "max_device: 20000").replace("ca.pem", "new-ca.pem")


_PRELUDE: Final = f'oxidized-exporter() {{ {shlex.join(COMMAND)} "$@"; }}\n'


@dataclass(frozen=True, slots=True)
class Situations:
    """All of them, running; commands of the pages are run against them."""

    directory: Path
    real: Mapping[str, str]

    async def run(self, command: str) -> str:
        """Run a command as a page shows it and return what it prints, as the page would show it.

        Raises:
            AssertionError: a program is missing, or the command prints nothing, and so shows nothing.
        """
        # What the user's own settings may say to curl, and the language, change what is printed.
        environment = os.environ | {"LC_ALL": "C", "HOME": str(self.directory), "no_proxy": "*", "NO_PROXY": "*"}
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", _PRELUDE + _translate(command, self.real)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
        async with asyncio.timeout(_COMMAND_SECONDS):
            printed, _ = await process.communicate()
        output = _translate(printed.decode(), {real: shown for shown, real in self.real.items()})
        assert process.returncode != _NOT_FOUND, f"{command}: {output}"
        assert output.strip(), f"prints nothing: {command}"
        return output


def _translate(text: str, words: Mapping[str, str]) -> str:
    """Replace all words at once, so that none is replaced twice."""
    return re.sub("|".join(rf"{re.escape(word)}(?!\d)" for word in words), lambda found: words[found[0]], text)


@asynccontextmanager
async def situations() -> AsyncIterator[Situations]:
    """Bring all of them about; the instances' time stands still, so that the output is the same every time."""
    clock = ManualClock(float(int(time.time())))
    healthy, troubled = daemons(_DEVICES, clock=clock)
    _, long_troubled = daemons(_DEVICES, clock=clock, history_seconds=9 * DAY)
    apps = {
        10889: create_app(healthy),
        10890: create_app(troubled),
        10892: create_app(healthy),
        10893: create_app(Daemon(fleet(500), clock=clock, threads=3, started=clock() - 12.5 * MINUTE)),
        10894: create_app(Daemon(fleet(_DEVICES, stale=0.8), clock=clock, started=clock() - 1.2 * DAY)),
        10895: create_app(_after_reload(clock)),
        10896: create_app(_with_duplicates(clock)),
        10897: _with_a_row_without_name(healthy),
        10898: create_app(long_troubled),
        10899: create_app(Daemon(_with_bad_configurations(), clock=clock, started=clock() - DAY)),
        10900: _with_fault(healthy, Fault.UNAUTHORIZED, path="/node/fetch"),
        10901: _with_fault(healthy, Fault.HTML, path="/nodes/stats"),
    }
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="runbooks-"))).resolve()
        tls = _serving(directory)
        ports = {10891: stack.enter_context(closed_port(0))}
        for shown, app in apps.items():
            url = await stack.enter_async_context(running(app, tls=tls if shown == _TLS_PORT else None))
            ports[shown] = int(url.rpartition(":")[2])
        ports[EXPORTER_PORT] = await stack.enter_async_context(_exporter_that_refused_its_file(directory))
        (directory / "router.db").write_text(_source())
        yield Situations(
            directory,
            {f"127.0.0.1:{shown}": f"127.0.0.1:{port}" for shown, port in ports.items()}
            | {f"{shown}/{name}": str(directory / name) for shown, name in _FILES},
        )


@asynccontextmanager
async def _exporter_that_refused_its_file(directory: Path) -> AsyncIterator[int]:
    config = directory / "config.yml"
    config.write_text(_GOOD)
    async with exporting(*EXPORTER, f"--config.file={config}", "--web.enable-lifecycle") as exporter:
        config.write_text(_REFUSED)
        exporter.program.send(signal.SIGHUP)
        await exporter.program.err.first('msg="configuration not reloaded"')
        yield int(exporter.address.rpartition(":")[2])


def _serving(directory: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    # Real time: it is the exporter, not the simulated instance, that looks at it.
    expiry = datetime.now(UTC) + timedelta(days=9, hours=12)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", not_after=expiry).configure_cert(context)
    return context


def _after_reload(clock: ManualClock) -> Daemon:
    daemon = Daemon(fleet(_DEVICES), clock=clock, started=clock() - DAY)
    for device in fleet(_DEVICES)[10:12]:
        daemon.remove(device.full_name)
    return daemon


def _source() -> str:
    """Return the source of the instance that dropped devices, as Oxidized's CSV source reads it."""
    return "".join(f"{device.name}:{device.ip}:{device.model}:{device.group or ''}\n" for device in fleet(_DEVICES))


def _with_duplicates(clock: ManualClock) -> Daemon:
    devices = fleet(_DEVICES)
    again = [replace(device, ip=device.ip.replace("10.", "172.", 1)) for device in devices[20:22]]
    return Daemon([*devices, *again], clock=clock, started=clock() - DAY)


def _with_bad_configurations() -> list[Device]:
    """Return devices of which one answers with an error, one is cut off, and one was configured badly."""
    devices = fleet(_DEVICES)
    refused, cut_off, with_telnet, *_ = [place for place, device in enumerate(devices) if device.model == "IOS"]
    texts = {place: Configuration.of(devices[place], 0).to_bytes() for place in (cut_off, with_telnet)}
    stored = {
        refused: b"% Authorization failed.\n",
        cut_off: b"".join(texts[cut_off].splitlines(keepends=True)[:14]),
        with_telnet: texts[with_telnet].replace(b"transport input ssh", b"transport input telnet ssh"),
    }
    return [replace(device, configuration=stored.get(place)) for place, device in enumerate(devices)]


def _with_fault(daemon: Daemon, fault: Fault, *, path: str) -> web.Application:
    app = create_app(daemon)
    app[FAULTS].switch_on(fault, path=path)
    return app


def _with_a_row_without_name(daemon: Daemon) -> web.Application:
    @web.middleware
    async def spoil(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        name = fleet(_DEVICES)[0].name
        answer.body = answer.body.replace(f'"name":"{name}"'.encode(), b'"name":null')
        return answer

    app = create_app(daemon)
    app.middlewares.append(spoil)
    return app
