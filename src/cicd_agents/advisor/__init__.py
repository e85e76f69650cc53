"""The optional model: redacted evidence goes in, checked words come out. It explains and decides nothing; pure, and silent about how a model is reached."""
