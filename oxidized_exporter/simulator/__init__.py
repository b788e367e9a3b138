"""A faithful Oxidized in memory: its queue of devices, and the web API that shows it.

    daemon = Daemon(fleet(100, failing=0.1), started=time.time() - 7200)
    app = create_app(daemon)
    aiohttp.web.run_app(app, port=8888)

Faults are switched on and off while it runs: `app[FAULTS].switch_on(Fault.UNAVAILABLE, requests=2)`.
"""

from oxidized_exporter.simulator.clock import Clock, ManualClock
from oxidized_exporter.simulator.daemon import Daemon
from oxidized_exporter.simulator.device import Device, Outcome
from oxidized_exporter.simulator.faults import Fault, FaultSwitch, SwitchedOn
from oxidized_exporter.simulator.fleet import fleet
from oxidized_exporter.simulator.state import Job, NodeState, Output
from oxidized_exporter.simulator.web import FAULTS, HELD, REQUESTS, create_app, nodes_json

__all__ = [
    "FAULTS",
    "HELD",
    "REQUESTS",
    "Clock",
    "Daemon",
    "Device",
    "Fault",
    "FaultSwitch",
    "Job",
    "ManualClock",
    "NodeState",
    "Outcome",
    "Output",
    "SwitchedOn",
    "create_app",
    "fleet",
    "nodes_json",
]
