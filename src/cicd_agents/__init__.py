"""CI/CD agents: engines decide, evidence first, the model only explains."""

__version__ = "1.0.0"
