"""Is the canary worse than the baseline? Always-valid tests with the tolerance inside (pure)."""

from cicd_agents.analysis.canary.defaults import default_policy
from cicd_agents.analysis.canary.foresight import foresight, foresight_of_stages
from cicd_agents.analysis.canary.judgement import judge

__all__ = ["default_policy", "foresight", "foresight_of_stages", "judge"]
