"""Between scan and network: region, fusion (Sect. 2.1, 2.3), tiles, folds (3.1, 3.2)."""
