"""The report as Markdown: the form that goes into a comment, an issue or a job summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.doctor import Excerpt, RootCause
from cicd_agents.domain.finding import Evidence, Fix
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report, place
from cicd_agents.report.escape import code_span, fence, inline, prose
from cicd_agents.report.links import Links, https_host
from cicd_agents.report.markdown_background import background
from cicd_agents.report.sections import Section, fitted, listed
from cicd_agents.report.wording import HEADS, proof_text

EMOJI = {"pipeline-doctor": "🩺"}
# A comment holds 65,536 characters on GitHub (a longer one is answered with 422) and 1,000,000 on GitLab (doc/administration/instance_limits.md).
# We count bytes, which are never fewer, and leave room for the marker.
GITHUB_COMMENT_BYTES = 60_000
GITLAB_COMMENT_BYTES = 990_000
_EXCERPT, _COMMANDS, _MESSAGE = 6000, 2000, 200
_MOST_FIXES, _MOST_FURTHER, _MOST_NOTES, _MOST_EVIDENCE = 8, 10, 20, 8
_KINDS = {"quick": "Quick fix", "lasting": "Lasting fix", "prevention": "Prevention"}


def to_markdown(report: Report, hosts: Sequence[str] = (), most: int = GITHUB_COMMENT_BYTES) -> str:
    """Markdown of at most `most` bytes; every text from outside is escaped or fenced, and links go to `hosts` only (a rule's documentation apart)."""
    return fitted(list(sections_of(report, Links(hosts))), most)


def to_resolved(agent: str, run_url: str = "", sha: str = "", hosts: Sequence[str] = ()) -> str:
    """What a comment becomes when the run is green again: its address and commit, as far as they are known."""
    where = f" at {code_span(sha[:12])}" if sha else ""
    run = f" {Links(hosts).link('See the run', run_url)}." if run_url else ""
    return f"{_heading(agent, 'Resolved')}\n\nThe run is green again{where}. The failure that stood here is gone.{run}\n"


def sections_of(report: Report, links: Links) -> Iterator[Section]:
    """The parts of the Markdown, in their order: what broke, why, what to do, then what else is known."""
    details = report.details
    root = details.root_cause
    yield Section("title", f"{_heading(report.agent, HEADS[report.outcome])}\n\n{_claim(report)}")
    if root or details.job or details.category:
        yield Section("error", "### Error\n\n" + "\n".join(_error(report, links)))
    if root or details.signature:
        yield Section("root cause", "### Root cause\n\n" + _cause(report, links), 1)
    if details.fixes:
        yield Section("fixes", "### Fixes (not tried)\n\n" + "\n".join(_fixes(details.fixes)).rstrip("\n"), 2)
    if details.candidates and (root is None or report.outcome is Outcome.INCONCLUSIVE):
        best = (f"- line {item.line}, score {item.score:.2f}, rule {code_span(item.signature or 'none')}" for item in details.candidates[:3])
        yield Section("candidates", "### Best candidates\n\n" + "\n".join(best), 3)
    if report.advice:
        from cicd_agents.report.advice import advice_section  # only where a model was asked: most runs ask none

        yield from filter(None, (advice_section(report.advice),))
    yield from background(report, links)
    if details.further_failures:
        further = listed(details.further_failures, _MOST_FURTHER, lambda failure: f"line {failure.line}: {code_span(failure.text.strip())}")
        yield Section("further failures", f"### Further failures\n\n{further}", 6)
    if details.excerpt and root:
        yield Section("log excerpt", _excerpt(details.excerpt, root), 9)
    if report.notes:
        yield Section("notes", "\n\n".join(_notes(report.notes)), 7)
    yield Section("footer", _footer(report))


def _heading(agent: str, words: str) -> str:
    return f"## {EMOJI.get(agent, '')} {agent}: {words}"


def _claim(report: Report) -> str:
    return f"**{prose(report.title)}**" + (f" — {prose(report.summary)}" if report.summary else "")


def _error(report: Report, links: Links) -> Iterator[str]:
    details = report.details
    root = details.root_cause
    if root:
        yield f"- Line {root.line}: {code_span(root.text.strip())}"
    elif message := proof_text(report):
        yield f"- Message: {code_span(message)}"
    if root and root.location:
        yield f"- Place: {code_span(place(root.location))}"
    if details.job:
        run = ", " + links.link("see the run", details.run_url) if details.run_url else ""
        yield f"- Job: {links.link(code_span(details.job), details.job_url)}{run}"
    if root and root.step:
        yield f"- Step: {code_span(root.step)}"
    if details.category:
        yield f"- Category: {details.category}" + (f", phase: {details.phase}" if details.phase else "")


def _cause(report: Report, links: Links) -> str:
    numbered = (f"{number}. {text}" for number, text in enumerate(_proofs(report, links), 1))
    return f"{prose(report.summary or report.title)} (confidence {report.details.confidence:.0%})\n\n" + "\n".join(numbered)


def _proofs(report: Report, links: Links) -> Iterator[str]:
    """What the claim rests on, beginning with the rule."""
    details = report.details
    root = details.root_cause
    docs = f" ([documentation]({details.docs}))" if https_host(details.docs) else ""
    rule = code_span(details.signature or "none")
    yield (f"Log line {root.line} matches rule {rule}" if root else f"Rule {rule}") + docs
    if root and root.location:
        yield f"The log points to {code_span(place(root.location))}"
    others = [item for finding in report.findings[:1] for item in finding.evidence if not (root and item.where == str(root.line))]
    for item in others[:_MOST_EVIDENCE]:
        yield _evidence(item, links)


def _evidence(item: Evidence, links: Links) -> str:
    kind = inline(item.kind.replace("-", " ").capitalize(), 40)
    where = "" if links.allows(item.where) else f" {code_span(item.where)}"
    return f"{links.link(kind, item.where) if not where else kind + where}: {code_span(item.text, _MESSAGE)}"


def _fixes(fixes: tuple[Fix, ...]) -> Iterator[str]:
    for fix in fixes[:_MOST_FIXES]:
        yield f"- **{_KINDS[fix.kind]}:** {prose(fix.title)}" + (f" — {prose(fix.detail)}" if fix.detail else "")
        if fix.commands:
            yield "\n" + "\n".join("  " + line for line in fence("\n".join(fix.commands), _COMMANDS, "sh").splitlines()) + "\n"


def _excerpt(excerpt: Excerpt, root: RootCause) -> str:
    numbered = [f"{'>' if number == root.line else ' '} {number:>6} | {text}" for number, text in enumerate(excerpt.lines, excerpt.first)]
    return f"<details><summary>Log excerpt around line {root.line}</summary>\n\n" + fence("\n".join(numbered), _EXCERPT) + "\n\n</details>"


def _notes(notes: tuple[str, ...]) -> Iterator[str]:
    for note in notes[:_MOST_NOTES]:
        yield f"> {prose(note)}"
    if len(notes) > _MOST_NOTES:
        yield f"> … and {len(notes) - _MOST_NOTES} more notes"


def _footer(report: Report) -> str:
    details = report.details
    size = f", {details.lines:,} lines" if details.lines else ""
    model = "; the explanation is a model's" if report.advice and not report.advice.problem else ", without a model"
    return f"<sub>Log {code_span(details.job or details.log)}{size}, {details.platform}. Diagnosed by rules{model}.</sub>"
