"""One file per report format; pure functions from a redacted report to text."""
