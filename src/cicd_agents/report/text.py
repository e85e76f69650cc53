"""The report for a terminal: a short summary, coloured where colour is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cicd_agents.domain.doctor import DoctorDetails, Excerpt
from cicd_agents.domain.finding import Fix
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report, place
from cicd_agents.report.escape import plain, workflow_safe
from cicd_agents.report.text_background import background
from cicd_agents.report.wording import proof_text

_Painter = Callable[[str, str], str]
_LINE = 240
_EXCERPT_BEFORE, _EXCERPT_AFTER = 3, 6
_COLOURS = {Outcome.FAIL: "31", Outcome.INCONCLUSIVE: "33", Outcome.SKIPPED: "36", Outcome.PASS: "32"}


def to_text(report: Report, colour: bool = False) -> str:
    """Plain text with a line feed at its end; ANSI colours only when `colour`."""
    paint = _paint if colour else _no_paint
    lines = list(_lines(report, paint))
    return "\n".join(lines) + "\n"


def _lines(report: Report, paint: _Painter) -> Iterator[str]:
    details = report.details
    head = paint(_COLOURS[report.outcome] + ";1", report.outcome.value.upper())
    yield f"{head}  {paint('1', _one(report.title))}"
    if report.summary:
        yield f"  {_one(report.summary)}"
    yield ""
    yield from _known(report, paint)
    if details.excerpt and details.root_cause:
        yield ""
        yield from _excerpt(details.excerpt, details.root_cause.line, paint)
    if details.fixes:
        yield ""
        yield paint("1", "What to do (not tried)")
        yield from _fixes(details.fixes, paint)
    if report.advice:
        from cicd_agents.report.advice import advice_text  # only where a model was asked: most runs ask none

        yield ""
        yield advice_text(report.advice).rstrip("\n")
    for heading, known in background(report):
        yield ""
        yield paint("1", _one(heading))
        yield from (f"  {_one(line)}" for line in known)
    if details.further_failures:
        yield ""
        yield paint("1", "Further failures in this log")
        for failure in details.further_failures:
            yield f"  line {failure.line}: {_one(failure.text.strip())}"
    if not details.root_cause or report.outcome is Outcome.INCONCLUSIVE:
        yield from _candidates(details)
    for note in report.notes:
        yield f"Note: {_one(note)}"
    yield f"Log {_one(details.log)} ({details.platform}, {details.lines:,} lines), {report.duration_seconds:.2f} s, exit code {report.exit_code}"


def _known(report: Report, paint: _Painter) -> Iterator[str]:
    """What broke and where, as far as it is known."""
    details, text = report.details, paint("31", _one(proof_text(report)))
    root = details.root_cause
    if root:
        yield f"  line      {root.line}: {text}"
    elif report.findings:
        yield f"  message   {text}"
    if root and root.location:
        yield f"  where     {_one(place(root.location))}"
    if details.job:
        yield f"  job       {_one(details.job)}"
    if details.job_url:
        yield f"  link      {_one(details.job_url)}"
    if root and root.step:
        yield f"  step      {_one(root.step)}"
    if details.category:
        phase = f" ({details.phase})" if details.phase else ""
        yield f"  kind      {details.category}{phase}, confidence {details.confidence:.0%}, rule {_one(str(details.signature))}"
    if details.docs:
        yield f"  docs      {_one(details.docs)}"


def _excerpt(excerpt: Excerpt, root: int, paint: _Painter) -> Iterator[str]:
    for number, text in enumerate(excerpt.lines, excerpt.first):
        if root - _EXCERPT_BEFORE <= number <= root + _EXCERPT_AFTER:
            mark = ">" if number == root else " "
            line = f"{mark} {number:>7} | {_one(text)}"
            yield paint("31", line) if number == root else line


def _fixes(fixes: tuple[Fix, ...], paint: _Painter) -> Iterator[str]:
    for fix in fixes:
        yield f"  {fix.kind:<10} {_one(fix.title)}"
        if fix.detail:
            yield f"             {_one(fix.detail)}"
        for command in fix.commands:
            yield f"             {paint('36', '$ ' + _one(command))}"


def _candidates(details: DoctorDetails) -> Iterator[str]:
    best = details.candidates[:3]
    if best:
        yield ""
        yield "The best candidates:"
        for item in best:
            yield f"  line {item.line} (score {item.score:.2f}, rule {_one(str(item.signature))})"


def _one(text: str) -> str:
    """One safe line: no control characters, no workflow commands, bounded."""
    return workflow_safe(plain(" ".join(text.splitlines()), _LINE))


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _no_paint(_code: str, text: str) -> str:
    return text
