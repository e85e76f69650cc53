"""Query packs: what exporters call their request counters, latency buckets, resources and connections (pure data, and the choice among them)."""

from cicd_agents.analysis.canary.packs.choice import Choice, Found, choose, probe, probe_past
from cicd_agents.analysis.canary.packs.pack import Durations, Pack, Source
from cicd_agents.analysis.canary.packs.traffic import TRAFFIC

__all__ = ["TRAFFIC", "Choice", "Durations", "Found", "Pack", "Source", "choose", "probe", "probe_past"]
