"""Operations in the reports of all agents: what was or would be done, why, what came of it, and how to undo it."""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.report.escape import code_span, inline, prose
from cicd_agents.report.wording import STATUSES, sentence


def operation_markdown(operation: Operation) -> str:
    """One operation as a line of Markdown."""
    parts = [prose(sentence(operation.why)), prose(sentence(operation.result))]
    if operation.reverse and operation.status in (OperationStatus.PLANNED, OperationStatus.APPLIED):
        parts.append(f"To undo: {prose(sentence(operation.reverse))}")
    said = " ".join(part for part in parts if part)
    return f"**{inline(operation.kind, 60)}** {code_span(operation.target)}: {STATUSES[operation.status]}. {said}"


def operation_text(operation: Operation) -> str:
    """One operation as a line for a terminal; the caller makes it safe."""
    return " ".join(_parts(operation))


def _parts(operation: Operation) -> Iterator[str]:
    yield f"{operation.kind} {operation.target}: {STATUSES[operation.status]}."
    yield from (sentence(text) for text in (operation.why, operation.result) if text)
