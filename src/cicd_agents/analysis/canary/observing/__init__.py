"""From raw series and lines to an Observation for the judge (pure)."""
