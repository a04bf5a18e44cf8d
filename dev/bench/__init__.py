"""Measurements, run by dev/bench.py; modules whose name begins with _ help them."""
