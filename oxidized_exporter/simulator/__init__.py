"""A faithful Oxidized in memory: its queue of devices, and the web API that shows it.

    daemon = Daemon(fleet(100, failing=0.1), started=time.time() - 7200)
    app = create_app(daemon)
    aiohttp.web.run_app(app, port=8888)

Faults are switched on and off while it runs: `app[FAULTS].switch_on(Fault.UNAVAILABLE, requests=2)`, for chosen paths
with `path="/node/fetch"`. `app[REQUESTS]` has what was asked for; `rack_path` says what that reached.
"""

from oxidized_exporter.simulator.clock import Clock, ManualClock
from oxidized_exporter.simulator.daemon import Daemon
from oxidized_exporter.simulator.device import Device, Outcome
from oxidized_exporter.simulator.faults import Fault, FaultSwitch, SwitchedOn
from oxidized_exporter.simulator.fleet import fleet
from oxidized_exporter.simulator.nodes_list import nodes_json
from oxidized_exporter.simulator.rack import rack_path
from oxidized_exporter.simulator.release import RELEASE_0_30, RELEASE_0_34, RELEASE_0_37, Release
from oxidized_exporter.simulator.state import Job, NodeState, NodeStats, Output
from oxidized_exporter.simulator.stats_page import stats_html
from oxidized_exporter.simulator.web import FAULTS, HELD, REQUESTS, create_app

__all__ = [
    "FAULTS",
    "HELD",
    "RELEASE_0_30",
    "RELEASE_0_34",
    "RELEASE_0_37",
    "REQUESTS",
    "Clock",
    "Daemon",
    "Device",
    "Fault",
    "FaultSwitch",
    "Job",
    "ManualClock",
    "NodeState",
    "NodeStats",
    "Outcome",
    "Output",
    "Release",
    "SwitchedOn",
    "create_app",
    "fleet",
    "nodes_json",
    "rack_path",
    "stats_html",
]
