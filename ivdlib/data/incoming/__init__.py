"""Scans as they come: DICOM and NIfTI under the scanner's names, turned into our layout."""
