"""What `ivdlib check` looks for in scans: flaws, exchanges, shifted labels, copies."""
