"""Whether a citation is true: the item and the line were shown, and the quoted words stand there."""

from __future__ import annotations

from dataclasses import replace

from cicd_agents.advisor.prose import Allowed, fault
from cicd_agents.advisor.shown import Shown
from cicd_agents.domain.advice import Citation
from cicd_agents.domain.invisible import seen

_LEAST = 8  # characters other than blanks; a shorter line must be quoted whole
_MOST = 300


def cited(citation: Citation, shown: Shown, allowed: Allowed) -> tuple[Citation | None, str]:
    """The citation with the item's own id, or None and the reason. A quote is held to the rules of prose too: hostile evidence may be cited, not repeated."""
    item = shown.item(citation.item)
    line = shown.line(item.id, citation.line) if item else None
    if item is None or line is None:
        return None, "citation of what was not shown"
    quote = seen(citation.quote).strip()
    words = _squeezed(quote)
    if not words or words not in _squeezed(line) or (len(words) < _LEAST and words != _squeezed(line)):
        return None, "citation that does not quote its line"
    if reason := fault(quote, _MOST, allowed):
        return None, reason
    return replace(citation, item=item.id, quote=quote), ""


def _squeezed(text: str) -> str:
    """Without blanks of any kind."""
    return "".join(text.split())
