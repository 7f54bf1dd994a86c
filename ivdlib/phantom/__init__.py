"""A Dixon phantom of the lumbar spine: synthetic scans in the layout of the challenge.

Numbers measured on it say "phantom"; they are not comparable with real scans.
"""

from ivdlib.phantom.conditions import RATES, Conditions
from ivdlib.phantom.scanner import MadeScan, simulate
from ivdlib.phantom.writer import VERSION, make_phantom

__all__ = ["RATES", "VERSION", "Conditions", "MadeScan", "make_phantom", "simulate"]
