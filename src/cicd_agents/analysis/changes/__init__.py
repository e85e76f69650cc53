"""What changed between two commits, and which of it may have broken the build (pure)."""
