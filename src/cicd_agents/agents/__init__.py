"""One file per agent: gathers through ports, calls an engine, returns a verdict."""
