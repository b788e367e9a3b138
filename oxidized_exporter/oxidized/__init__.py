"""All that knows Oxidized: what it is asked, over which connection, and how its answers read."""
