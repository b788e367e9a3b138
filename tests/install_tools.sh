#!/bin/sh
# The real Prometheus, Alertmanager and systemd-analyze, and what the runbooks' commands need: Debian's packages, where
# one is missing.
set -eu

missing=
for program in prometheus promtool prometheus-alertmanager amtool curl openssl systemd-analyze; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
[ "$missing" ] || exit 0

echo "missing:$missing" >&2
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "Put them on the PATH; on Debian, \`make tools\` as root installs them." >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  prometheus prometheus-alertmanager curl openssl systemd
