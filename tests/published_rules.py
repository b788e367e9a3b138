"""The alerts that were published for akquinet/oxidized-exporter."""

from __future__ import annotations

from typing import Final

# As in srerun/prometheus-alerts, rules/oxidized/oxidized.yml, with no waiting.
PUBLISHED: Final = {
    "OxidizedBackupFailed": "oxidized_device_last_backup_status == 1",
    "OxidizedDeviceNoConnection": "oxidized_device_status == 0",
    "OxidizedDeviceNeverBackedUp": "oxidized_device_status == 1 and on(name) "
    "(oxidized_device_last_backup_end == 0 or absent(oxidized_device_last_backup_end))",
    "OxidizedBackupVeryOld": "time() - oxidized_device_last_backup_end > 86400 * 2 and on(name) "
    "oxidized_device_status == 2 and on(name) oxidized_device_last_backup_status == 2",
    "OxidizedBackupVeryOldCritical": "time() - oxidized_device_last_backup_end > 86400 * 7 and on(name) "
    "oxidized_device_status == 2",
    "OxidizedConnectionDown": "oxidized_status == 0",
}
