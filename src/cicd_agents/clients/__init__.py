"""All input and output: files, networks, processes."""
