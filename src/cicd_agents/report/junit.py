"""The reports as JUnit XML: one test case per failed job, in the form that GitLab and Jenkins read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cicd_agents.domain.doctor import JobFailure
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report, place
from cicd_agents.report.escape import xml_attribute, xml_text
from cicd_agents.report.wording import proof_text

_NAME, _TITLE, _BODY = 200, 300, 8000
# The element in a test case, by what the agent says of the job; none: the job is well.
_RESULTS = {Outcome.FAIL: "failure", Outcome.INCONCLUSIVE: "error", Outcome.SKIPPED: "skipped"}


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    result: str | None
    title: str
    category: str
    text: str


def to_junit(reports: Sequence[Report]) -> str:
    """One document with a suite for each report."""
    suites = [(report, tuple(_cases(report))) for report in reports]
    every = [case for _, cases in suites for case in cases]
    body = "".join(_suite(report, cases) for report, cases in suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="cicd-agents" {_counts(every)}>\n{body}</testsuites>\n'


def _cases(report: Report) -> Iterator[_Case]:
    details = report.details
    yield _Case(details.job or details.log, _RESULTS.get(report.outcome), report.title, details.category or "", "\n".join(_explained(report)))
    for job in details.other_jobs:
        title = f"The same failure as in {details.job or details.log}" if job.same else job.title
        yield _Case(job.job, "failure", title, job.category or "", _line(job))


def _explained(report: Report) -> Iterator[str]:
    root = report.details.root_cause
    if report.summary:
        yield report.summary
    if proof := proof_text(report):
        yield f"Log line {root.line}: {proof}" if root else proof
    if root and root.location:
        yield f"Place: {place(root.location)}"
    for fix in report.details.fixes[:3]:
        yield f"To do: {fix.title}" + (f": {fix.detail}" if fix.detail else "")


def _line(job: JobFailure) -> str:
    return f"Log line {job.line}: {job.text.strip()}" if job.line else ""


def _suite(report: Report, cases: Sequence[_Case]) -> str:
    agent = xml_attribute(report.agent, _NAME)
    body = "".join(_case(agent, case) for case in cases)
    return f'  <testsuite name="{agent}" {_counts(cases)} time="{report.duration_seconds:.3f}">\n{body}  </testsuite>\n'


def _case(agent: str, case: _Case) -> str:
    opening = f'    <testcase classname="{agent}" name="{xml_attribute(" ".join(case.name.split()), _NAME)}"'
    if case.result is None:
        return f"{opening}/>\n"
    kind = f' type="{xml_attribute(case.category, _NAME)}"' if case.category and case.result != "skipped" else ""
    message = xml_attribute(" ".join(case.title.split()), _TITLE)
    return f'{opening}>\n      <{case.result} message="{message}"{kind}>{xml_text(case.text, _BODY)}</{case.result}>\n    </testcase>\n'


def _counts(cases: Sequence[_Case]) -> str:
    results = [case.result for case in cases]
    return f'tests="{len(cases)}" failures="{results.count("failure")}" errors="{results.count("error")}" skipped="{results.count("skipped")}"'
