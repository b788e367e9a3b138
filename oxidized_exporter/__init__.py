"""Prometheus exporter for Oxidized, the network device configuration backup tool."""

__version__ = "0.1.0"
