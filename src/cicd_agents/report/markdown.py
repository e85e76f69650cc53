"""The report as Markdown: the form that goes into a comment or a job summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.domain.doctor import DoctorDetails, RootCause
from cicd_agents.domain.finding import Fix
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report, place
from cicd_agents.report.escape import code_span, fence, inline, truncate_utf8

EMOJI = {"pipeline-doctor": "🩺"}
_EXCERPT = 6000
# A comment holds 65,536 characters on GitHub; stay below it in bytes.
MAX_BYTES = 60_000
_HEAD = {
    Outcome.FAIL: "Root cause found",
    Outcome.INCONCLUSIVE: "Not sure",
    Outcome.SKIPPED: "Nothing to diagnose",
    Outcome.PASS: "All is well",
}
_KINDS = {"quick": "Quick fix", "lasting": "Lasting fix", "prevention": "Prevention"}


def to_markdown(report: Report) -> str:
    """Markdown of at most MAX_BYTES; every text from a log is escaped or fenced."""
    for excerpt in (True, False):
        text = "\n".join(_lines(report, excerpt)) + "\n"
        if len(text.encode()) <= MAX_BYTES:
            return text
    return truncate_utf8(text, MAX_BYTES)


def _lines(report: Report, excerpt: bool) -> Iterator[str]:
    details = report.details
    yield f"## {EMOJI.get(report.agent, '')} {report.agent}: {_HEAD[report.outcome]}"
    yield ""
    yield f"**{prose(report.title)}**" + (f" — {prose(report.summary)}" if report.summary else "")
    root = details.root_cause
    if root:
        yield from _error(details, root)
        yield from _evidence(report, root)
    if details.fixes:
        yield from _fixes(details.fixes)
    if details.further_failures:
        yield "\n### Further failures\n"
        for failure in details.further_failures:
            yield f"- line {failure.line}: {code_span(failure.text.strip())}"
    if details.candidates and (root is None or report.outcome is Outcome.INCONCLUSIVE):
        yield "\n### Best candidates\n"
        for item in details.candidates[:3]:
            yield f"- line {item.line}, score {item.score:.2f}, rule {code_span(item.signature or 'none')}"
    if excerpt and details.excerpt and root:
        yield from _excerpt(details, root)
    for note in report.notes:
        yield f"\n> {prose(note)}"
    yield f"\n<sub>Log {code_span(details.log)}, {details.lines:,} lines, {details.platform}. Diagnosed by rules, without a model.</sub>"


def _error(details: DoctorDetails, root: RootCause) -> Iterator[str]:
    yield "\n### Error\n"
    yield f"- Line {root.line}: {code_span(root.text.strip())}"
    if root.location:
        yield f"- Place: {code_span(place(root.location))}"
    if root.step:
        yield f"- Step: {code_span(root.step)}"
    yield f"- Category: {details.category}, phase: {details.phase}"


def _evidence(report: Report, root: RootCause) -> Iterator[str]:
    details = report.details
    yield "\n### Root cause\n"
    yield f"{prose(report.summary or report.title)} (confidence {details.confidence:.0%})"
    yield ""
    yield f"1. Log line {root.line} matches rule {code_span(details.signature or 'none')}" + (
        f" ([documentation]({details.docs}))" if _is_link(details.docs) else ""
    )
    if root.location:
        yield f"2. The log points to {code_span(place(root.location))}"


def _fixes(fixes: tuple[Fix, ...]) -> Iterator[str]:
    yield "\n### Fixes (not tried)\n"
    for fix in fixes:
        yield f"- **{_KINDS[fix.kind]}:** {prose(fix.title)}" + (f" — {prose(fix.detail)}" if fix.detail else "")
        if fix.commands:
            yield "\n" + "\n".join("  " + line for line in fence("\n".join(fix.commands), 2000, "sh").splitlines()) + "\n"


def _excerpt(details: DoctorDetails, root: RootCause) -> Iterator[str]:
    if details.excerpt is None:
        return
    numbered = [f"{'>' if number == root.line else ' '} {number:>6} | {text}" for number, text in enumerate(details.excerpt.lines, details.excerpt.first)]
    yield f"\n<details><summary>Log excerpt around line {root.line}</summary>\n"
    yield fence("\n".join(numbered), _EXCERPT)
    yield "\n</details>"


def prose(text: str, limit: int = 600) -> str:
    """A text of ours that may quote the log: what stands in backticks becomes code, all else is escaped."""
    parts = re.split(r"`([^`\n]{1,200})`", text[:limit])
    made = ""
    for index, part in enumerate(parts):
        if part:
            next_one = code_span(part) if index % 2 else _spaced(part, limit)
            made += f" {next_one}" if made.endswith("`") and next_one.startswith("`") else next_one  # two runs of backticks must not join
    return made


def _spaced(text: str, limit: int) -> str:
    """Escaped, with the blank kept that divides it from a code span."""
    before, after = text[:1].isspace() * " ", text[-1:].isspace() * " "
    return f"{before}{inline(text, limit).strip()}{after}" if text.strip() else " "


def _is_link(url: str | None) -> bool:
    return url is not None and re.fullmatch(r"https://[\w.:-]+(?:/[\w./?=&%#:@~+,;!*-]*)?", url, re.ASCII) is not None
