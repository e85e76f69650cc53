"""Pure engines: facts in, judgement out; no I/O, no clock, no environment."""
