"""Scores and what they are worth: tables, comparisons, verdicts (paper, Sect. 3)."""
