"""The log-diagnosis engine: a failed job's log in, the root cause with its evidence out."""
