"""AUDIT.md: the paper's claims, each with its verdict and where the evidence lies."""
