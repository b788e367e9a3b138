"""The checks of `pods`: each is shown one thing that is broken, and says so."""

from __future__ import annotations

from typing import Final

import pytest

from tests.deploy.cases import GONE, POD, KeyPath, changed, faults

CONTAINER: Final = (*POD, "containers", 0)


BROKEN: Final[dict[str, tuple[str, str, KeyPath, object, str]]] = {
    "flag": ("default", "Deployment", (*CONTAINER, "args", 0), "--web.listen=:1", "args: No such option"),
    "value-of-a-flag": ("default", "Deployment", (*CONTAINER, "args", 1), "--web.shutdown-delay=10s", "'10s' is not a"),
    "listens-elsewhere": (
        "default",
        "Deployment",
        (*CONTAINER, "args", 0),
        "--web.listen-address=:8080",
        "args: listens on :8080, the container's port is 10888",
    ),
    "grace": (
        "default",
        "Deployment",
        (*POD, "terminationGracePeriodSeconds"),
        40,
        "terminationGracePeriodSeconds: 40 is not enough for a delay of 10 s",
    ),
    "mount": (
        "config-map",
        "Deployment",
        (*CONTAINER, "volumeMounts", 0, "mountPath"),
        "/etc/oxidized",
        "args: nothing is mounted at /etc/oxidized_exporter",
    ),
    "path": (
        "default",
        "Deployment",
        (*CONTAINER, "livenessProbe", "httpGet", "path"),
        "/healthz",
        "livenessProbe: the exporter has no GET /healthz",
    ),
    "no-such-command": (
        "web-config-mutual",
        "Deployment",
        (*CONTAINER, "livenessProbe", "exec", "command", 1),
        "health",
        "livenessProbe: oxidized-exporter health is no command of the exporter",
    ),
    "flag-of-the-command": (
        "web-config-mutual",
        "Deployment",
        (*CONTAINER, "livenessProbe", "exec", "command", 2),
        "--listen=:10888",
        "livenessProbe: No such option",
    ),
    "asks-elsewhere": (
        "web-config-mutual",
        "Deployment",
        (*CONTAINER, "startupProbe", "exec", "command", 2),
        "--web.listen-address=:8080",
        "startupProbe: web_listen_address is",
    ),
    "asks-otherwise": (
        "web-config-mutual",
        "Deployment",
        (*CONTAINER, "startupProbe", "exec", "command", 3),
        "--web.config.file=/web.yml",
        "startupProbe: web_config_file is /web.yml, the exporter's /etc/oxidized_exporter_web/web.yml",
    ),
    "mount-of-the-web-configuration": (
        "web-config",
        "Deployment",
        (*CONTAINER, "volumeMounts", 1, "mountPath"),
        "/etc/web",
        "args: nothing is mounted at /etc/oxidized_exporter_web",
    ),
    "path-of-the-prober": ("probes", "Probe", ("spec", "prober", "path"), "/scrape", "Probe: the exporter has no GET"),
    "path-without-the-prefix": (
        "route-prefix",
        "Deployment",
        (*CONTAINER, "readinessProbe", "httpGet", "path"),
        "/-/ready",
        "readinessProbe: the exporter has no GET /-/ready",
    ),
    "path-of-the-discovery": (
        "discovery",
        "ScrapeConfig",
        ("spec", "httpSDConfigs", 0, "url"),
        "http://oxidized-exporter.monitoring.svc:10888/sd",
        "ScrapeConfig: the exporter has no GET /sd",
    ),
    "path-of-the-reloader": (
        "reload",
        "Deployment",
        (*POD, "containers", 1, "args", 1),
        "--reload-url=http://127.0.0.1:10888/reload",
        "reloader: the exporter has no POST /reload",
    ),
    "port-of-the-reloader": (
        "reload",
        "Deployment",
        (*POD, "containers", 1, "args", 1),
        "--reload-url=http://127.0.0.1:8080/-/reload",
        "reloader: the exporter does not listen at http://127.0.0.1:8080/-/reload",
    ),
    "watched-elsewhere": (
        "reload",
        "Deployment",
        (*POD, "containers", 1, "args", 2),
        "--watched-dir=/etc",
        "reloader: nothing is mounted at /etc",
    ),
    "reload-forbidden": (
        "reload",
        "Deployment",
        (*CONTAINER, "args", 5),
        "--log.level=info",
        "reloader: the exporter does not allow a reload",
    ),
    "root": ("default", "Deployment", (*POD, "securityContext", "runAsUser"), 0, "container exporter: may run as root"),
    "seccomp": ("default", "Deployment", (*POD, "securityContext", "seccompProfile"), GONE, "no seccomp profile"),
    "privileges": (
        "default",
        "Deployment",
        (*CONTAINER, "securityContext", "allowPrivilegeEscalation"),
        GONE,
        "may gain privileges",
    ),
    "capabilities": (
        "default",
        "Deployment",
        (*CONTAINER, "securityContext", "capabilities"),
        {"drop": ["ALL"], "add": ["NET_RAW"]},
        "keeps capabilities",
    ),
    "root-file-system": (
        "default",
        "Deployment",
        (*CONTAINER, "securityContext", "readOnlyRootFilesystem"),
        False,
        "can write to its root file system",
    ),
    "host-network": ("default", "Deployment", (*POD, "hostNetwork"), True, "pod: hostNetwork"),
    "token": ("default", "Deployment", (*POD, "automountServiceAccountToken"), GONE, "pod: mounts a token"),
    "links": (
        "default",
        "Deployment",
        (*POD, "enableServiceLinks"),
        GONE,
        "pod: has an environment variable for every",
    ),
    "host-path": (
        "scheduling",
        "Deployment",
        (*POD, "volumes", 0),
        {"name": "more", "hostPath": {"path": "/"}},
        "volume more: hostPath is not allowed",
    ),
    "mode": (
        "config-map",
        "Deployment",
        (*POD, "volumes", 0, "projected", "defaultMode"),
        0o444,
        "volume config: mode 444 without fsGroup, or for everybody",
    ),
    "quantity": (
        "default",
        "Deployment",
        (*CONTAINER, "resources", "limits", "memory"),
        "512MB",
        "exporter: limits.memory: '512MB' is no quantity",
    ),
    "no-suffix": (
        "default",
        "Deployment",
        (*CONTAINER, "resources", "limits", "memory"),
        "512K",
        "'512K' is no",
    ),
    "request-over-limit": (
        "default",
        "Deployment",
        (*CONTAINER, "resources", "requests", "memory"),
        "1Gi",
        "exporter: requests more memory than its limit",
    ),
    "no-limit": ("default", "Deployment", (*CONTAINER, "resources"), GONE, "exporter: has no limit of memory"),
}


@pytest.mark.parametrize("case,kind,path,value,message", BROKEN.values(), ids=BROKEN)
def test_what_does_not_fit_is_told(case: str, kind: str, path: KeyPath, value: object, message: str) -> None:
    told = faults(changed(case, kind, path, value))
    assert any(message in fault for fault in told), told
