"""Settings of a run, from inputs, environment, file and defaults; pure."""
