"""The HTTP server: routes, and nothing that knows Oxidized's API."""
