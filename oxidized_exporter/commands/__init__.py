"""Commands that ask Oxidized once and end: ``probe``, ``check`` and ``status``."""
