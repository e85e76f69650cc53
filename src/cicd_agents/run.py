"""The story of a run: agent → operations → report → publish → exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.verdict import EXIT_PASS, EXIT_UNDECIDED, AgentVerdict, Details, FailOn
from cicd_agents.publish.outcome import Published, PublishStatus
from cicd_agents.report.document import AgentReport, Report, report_of

Destination = Callable[[Report], Published]


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where a report goes: first what lies on this machine, then the values for later steps, then what others serve.

    `outputs` is told the addresses of what was published by destination; it is written before the services are asked, and once more after.
    """

    here: Sequence[Destination]
    outputs: Callable[[Report, Mapping[str, str]], Published]
    elsewhere: Sequence[Destination]


def run(agent: Callable[[], AgentVerdict[Details]], fail_on: FailOn, redactor: Redactor, clock: Callable[[], float]) -> AgentReport[Details]:
    """Run one agent and report it; `clock` gives seconds."""
    began = clock()
    verdict = agent()
    return report_of(verdict, fail_on, clock() - began, redactor)


def tell(report: Report, destinations: Destinations, say: Callable[[Published], None]) -> tuple[Published, ...]:
    """Publish the report; each publication is told to `say` when it is done."""
    told: list[Published] = []

    def publish(item: Published) -> None:
        told.append(item)
        say(item)

    for destination in destinations.here:
        publish(destination(report))
    publish(destinations.outputs(report, {}))
    for destination in destinations.elsewhere:
        publish(destination(report))
    addresses = {item.destination: item.url for item in told if item.url}
    if addresses:
        again = destinations.outputs(report, addresses)
        if again.status is PublishStatus.FAILED:
            publish(again)
    return tuple(told)


def exit_code_of(report: Report, told: Sequence[Published], *, fail_on_publish_error: bool, policy_known: bool) -> int:
    """The verdict's own code; where it would be 0, 3 when a publication failed and that matters, or when the policy could not be read."""
    failed = any(item.status is PublishStatus.FAILED for item in told)
    if report.exit_code == EXIT_PASS and ((failed and fail_on_publish_error) or not policy_known):
        return EXIT_UNDECIDED
    return report.exit_code
