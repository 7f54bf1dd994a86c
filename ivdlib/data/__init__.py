"""What a scan is, how it is read, and how a mask gets back onto its grid (paper, Sect. 3.1)."""
