"""What the exporter is run and watched with; what is written in Python there."""
