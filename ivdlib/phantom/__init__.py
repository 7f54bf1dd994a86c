"""A Dixon phantom of the lumbar spine: synthetic scans in the layout of the challenge.

Numbers measured on it say "phantom"; they are not comparable with real scans.
"""

from ivdlib.phantom.scanner import Scan, simulate
from ivdlib.phantom.writer import make_phantom

__all__ = ["Scan", "make_phantom", "simulate"]
