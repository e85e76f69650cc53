"""Version files: where a project's version stands in them, and their text with the next one (pure, byte-preserving)."""
