"""A monorepo in one plan: which commits and files are whose, which components go together, which follow (pure)."""
