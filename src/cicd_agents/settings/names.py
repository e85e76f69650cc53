"""Names that can be had without reading the table of settings."""

FILE_NAME = ".cicd-agents.yml"
