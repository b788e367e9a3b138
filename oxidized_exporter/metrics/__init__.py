"""What is told to Prometheus: the catalogue of metrics, the collector over a scrape, the exposition formats."""
