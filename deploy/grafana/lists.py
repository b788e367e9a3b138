"""Tables of instances, alerts and devices, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.grafana.links import choose, runbook_of_value
from deploy.grafana.parts import GREEN, GREY, ORANGE, RED, YELLOW, About
from deploy.grafana.queries import (
    ANSWERING,
    BACKUP_AGE,
    DEVICE_LABELS,
    DEVICES,
    EXPIRES_SOON,
    FAILING,
    NEWEST_JOB_AGE,
    NOT_SCRAPED,
    OF_TARGETS,
    OLD,
    RATE_OF_TARGETS,
    STALLED,
    TARGET_LABELS,
    VERY_OLD,
    per_device,
    per_target,
)
from deploy.grafana.tables import Column, listing

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel

_HOUR: Final = 3600
_LONGEST: Final = 100  # rows of a table of devices

TARGET_COLUMNS: Final = (
    Column(title="Instance", label="instance", link=choose("instance", keep=("job",))),
    Column(title="Target", label="target", link=choose("target", keep=("job", "instance"))),
)
DEVICE_COLUMNS: Final = (
    Column(
        title="Device",
        label="full_name",
        link=choose("device", keep=("job", "instance", "target", "group", "model")),
    ),
    Column(title="Model", label="model", width=110),
    *TARGET_COLUMNS,
)
RATE_STEPS: Final = ((None, RED), (0.9, YELLOW), (0.98, GREEN))
AGE_STEPS: Final = ((None, GREEN), (24 * _HOUR, YELLOW), (OLD, ORANGE), (VERY_OLD, RED))


def instances() -> Builder[Panel]:
    """Return the table of instances."""
    # blackbox_exporter has a metric of the same name: the join keeps to probes of Oxidized.
    certificate = (
        f"{per_target('probe_ssl_earliest_cert_expiry')} - time()"
        f" and on ({TARGET_LABELS}) oxidized_status{{{OF_TARGETS}}}"
    )
    return listing(
        About(
            title="Instances",
            text="Those that do not answer first. A click on one chooses it for the whole dashboard.",
            width=16,
            height=9,
            runbooks=("OxidizedConnectionDown", "OxidizedJobsStalled", "OxidizedCertificateExpiry"),
        ),
        *TARGET_COLUMNS,
        Column(
            title="State",
            expr=f"{ANSWERING} or ({NOT_SCRAPED}) - 2",
            words={"1": ("answers", GREEN), "0": ("does not answer", RED), "-1": ("not scraped", GREY)},
            width=130,
        ),
        Column(title="Reason", label="reason", width=120),
        Column(title="Why", expr=per_target("oxidized_probe_failure_info", by="reason"), hidden=True),
        Column(title="Devices", expr=f"sum by ({TARGET_LABELS}) ({DEVICES})", width=90),
        Column(
            title="Success rate",
            expr=RATE_OF_TARGETS,
            unit="percentunit",
            steps=RATE_STEPS,
            width=110,
        ),
        Column(
            title="Newest job",
            expr=NEWEST_JOB_AGE,
            unit="s",
            steps=((None, GREEN), (STALLED, RED)),
            width=110,
        ),
        Column(title="Probe", expr=per_target("probe_duration_seconds"), unit="s", width=90),
        Column(
            title="Certificate",
            expr=certificate,
            unit="s",
            steps=((None, RED), (EXPIRES_SOON, GREEN)),
            width=110,
        ),
        sort="State",
        descending=False,
    )


def alerts() -> Builder[Panel]:
    """Return the table of alerts that fire."""
    # What tells an alert of ours apart; labels of Prometheus servers do not.
    apart = f"alertname, severity, {DEVICE_LABELS}, collector, check"
    firing = f'ALERTS{{alertstate="firing", alertname=~"Oxidized.+", {OF_TARGETS}}}'
    return listing(
        About(
            title="Alerts that fire",
            text="How many of each, critical ones first. A click on one opens its runbook.",
            width=8,
            height=9,
        ),
        Column(title="Alert", label="alertname", link=runbook_of_value()),
        Column(
            title="Severity",
            label="severity",
            width=90,
            words={"critical": ("critical", RED), "warning": ("warning", ORANGE), "info": ("info", GREY)},
        ),
        Column(title="Firing", expr=f"count by (alertname, severity) (max by ({apart}) ({firing}))", width=80),
        sort="Severity",  # critical first, as the alphabet has it
        descending=False,
    )


def devices() -> list[Builder[Panel]]:
    """Return the tables of devices that need somebody."""
    longest = (
        f"topk({_LONGEST}, {per_device('oxidized:device_backup_age:seconds')} and on ({DEVICE_LABELS}) ({FAILING}))"
    )
    status = f"{per_device('oxidized_device_status_info', by='status')} and on ({DEVICE_LABELS}) {longest}"
    return [
        listing(
            About(
                title="Failing longest",
                text=f"Devices whose last job failed, by how long no success has been seen, at most {_LONGEST}, of the "
                "chosen groups and models. Retries and restarts of Oxidized are bridged. A click shows one below.",
                width=12,
                height=9,
                runbooks=("OxidizedBackupFailed", "OxidizedDeviceNoConnection", "OxidizedDeviceNeverBackedUp"),
            ),
            *DEVICE_COLUMNS,
            Column(title="Status now", label="status", width=120),
            Column(title="Without success", expr=longest, unit="s", steps=AGE_STEPS, width=130),
            Column(title="Present status", expr=status, hidden=True),
            sort="Without success",
        ),
        listing(
            About(
                title="Oldest backups",
                text=f"Devices by how long no success has been seen, whatever their status, at most {_LONGEST}, of the "
                "chosen groups and models. Where none has been seen at all, since they were first listed.",
                width=12,
                height=9,
                runbooks=("OxidizedBackupVeryOld", "OxidizedBackupVeryOldCritical"),
            ),
            *DEVICE_COLUMNS,
            Column(
                title="Without success", expr=f"topk({_LONGEST}, {BACKUP_AGE})", unit="s", steps=AGE_STEPS, width=130
            ),
            sort="Without success",
        ),
    ]
