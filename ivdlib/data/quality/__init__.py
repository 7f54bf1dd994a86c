"""What `ivdlib check` looks for in scans: flaws, exchanged water and fat, shifted labels, copies."""
