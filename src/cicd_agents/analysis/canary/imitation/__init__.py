"""The judgement of other tools, imitated for comparison and migration, each with a note of whose rules they are and where they let bad code pass (pure)."""
