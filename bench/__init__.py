"""Measurements of speed and memory, each beside a peer or a limit in the same run. Start with `python -m bench`; see harness.py."""
