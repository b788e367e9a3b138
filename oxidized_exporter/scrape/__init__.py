"""One scrape: targets asked concurrently under one deadline, and what came of it as frozen data."""
