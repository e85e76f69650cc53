"""CI variables and event payloads → RunContext; one file per platform, pure."""
