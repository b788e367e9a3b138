"""``python -m oxidized_exporter`` is the command ``oxidized-exporter``."""

from oxidized_exporter.cli import main

if __name__ == "__main__":
    main(prog_name="oxidized-exporter")
