"""The last look before a model is asked. Evidence is redacted where it is gathered; a secret that slipped through there does not leave here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cicd_agents.domain.advice import LanguageModel, ModelReply, ModelRequest, Turn


@dataclass(frozen=True, slots=True)
class WithoutSecrets:
    """Asks `model` with all texts of the conversation redacted; redacted ones stay as they are. The fixed parts are our own words."""

    model: LanguageModel
    redact: Callable[[str], str] = field(repr=False)

    def reply(self, request: ModelRequest) -> ModelReply:
        """The model's reply. Raises ModelFailed."""
        return self.model.reply(replace(request, turns=tuple(map(self._clean, request.turns))))

    def _clean(self, turn: Turn) -> Turn:
        """A turn of the model's goes back as it came: services compare it, and it holds nothing that they have not."""
        if turn.role == "model":
            return turn
        return replace(turn, text=self.redact(turn.text), results=tuple((call, self.redact(text)) for call, text in turn.results))
