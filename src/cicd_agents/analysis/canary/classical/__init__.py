"""Classical tests for those who ask: they look once, at a sample size that was fixed before (pure)."""
