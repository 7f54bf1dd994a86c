"""Figures, and the pages and PDFs that show results; they read what experiments wrote."""
