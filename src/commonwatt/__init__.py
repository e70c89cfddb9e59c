"""Commonwatt: demand response and shared local energy, from meter to statement."""

__version__ = "0.1.0"
