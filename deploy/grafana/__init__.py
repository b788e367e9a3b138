"""The Grafana dashboard as code, of which `make manifests` writes oxidized.json beside this."""
