"""The kinds of version files, a module for each: where the version stands in the text (pure)."""
