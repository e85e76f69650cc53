"""`cicd-agents guardian …` and the guardian in CI: settings and context → policy → session. Judgement is elsewhere."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.platforms.release_services import forge_token, release_services
from cicd_agents.clients.platforms.services import Order
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.verdict import EXIT_PASS
from cicd_agents.report.escape import plain, workflow_safe
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_given import rules_of
from cicd_agents.wiring.guardian_run import GuardianRun, Wish
from cicd_agents.wiring.guardian_session import GuardianSession
from cicd_agents.wiring.guardian_stopping import told_to_stop

if TYPE_CHECKING:
    from cicd_agents.wiring.world import World


def guardian(options: argparse.Namespace, world: World) -> int:
    """The command line; the exit code. Raises UsageError."""
    from cicd_agents.clients.settings_file import read_event, read_settings_file
    from cicd_agents.context.detect import detect
    from cicd_agents.settings.names import FILE_NAME
    from cicd_agents.settings.options import OF_GUARDIAN
    from cicd_agents.settings.reading import read

    context = detect(world.environment, read_event(world.environment.get("GITHUB_EVENT_PATH", "")))
    file = None
    if options.config or context.config_ref is None:
        file = read_settings_file(Path(options.config) if options.config else Path(FILE_NAME), required=bool(options.config))
    else:
        world.say(f"{FILE_NAME} was not read, since the run is of a pull request; `cicd-agents run` reads that of the base branch.")
    given = {option.name: value for option in OF_GUARDIAN if (value := getattr(options, option.field, None)) is not None}
    settings = read(given, world.environment, file, str(context.platform))
    if options.what == "policy":
        from cicd_agents.analysis.canary.reading.policy_text import policy_as_text

        rules = rules_of(settings, context)
        code = EXIT_PASS
        if options.foresight:
            from cicd_agents.wiring.guardian_foresight import foreseen

            told, code = foreseen(settings, rules, world)
            world.out("".join(f"# {workflow_safe(plain(line, 1000))}\n" for line in told))
        world.out(policy_as_text(rules.policy, rules.own))
        return code
    if options.what == "backtest":
        from cicd_agents.wiring.guardian_backtest import run_backtest

        return run_backtest(options.releases, settings, context, world)
    return run_guardian(settings, context, world, Wish(options.what, options.format, getattr(options, "reason", None) or ""))


def run_guardian(settings: Settings, context: RunContext, world: World, wish: Wish) -> int:
    """Judge, act, tell; the exit code. Raises UsageError where nothing can be begun."""
    settings = replace(settings, token=forge_token(context, settings, world.environment))
    minutes = settings.approval_wait + settings.recovery_wait + (settings.watch if wish.what == "watch" else 0)
    budget = Budget(world.clock, settings.time_limit + 60.0 * minutes)
    with told_to_stop(world.say, settings.guardian_state), ExitStack() as stack:
        order = Order(context, settings, world.environment, world.clock, budget, world.say, world.timeouts)
        services = stack.enter_context(release_services(order))
        return GuardianSession(GuardianRun(settings, context, world, wish, services, budget, stack)).exit_code()
