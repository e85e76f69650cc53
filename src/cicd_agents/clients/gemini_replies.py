"""What a stream of the Gemini API amounts to: the text, the calls and the usage, or why there is no answer. Everything in it is hostile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cicd_agents.clients.gemini_failures import GeminiFailed, blocked, cut, junk, stopped
from cicd_agents.domain.advice import ModelReply, ToolCall, Usage

_MOST_TOKENS = 10**9


class Gathering:
    """Takes the pieces of a stream one by one. Only the first candidate counts, and of its parts those that are no thoughts."""

    def __init__(self) -> None:
        self.usage = Usage()
        self._texts: list[str] = []
        self._calls: list[ToolCall] = []
        self._finish = ""
        self._blocked = ""
        self._categories: tuple[str, ...] = ()

    def take(self, pieces: Iterable[Any]) -> ModelReply:
        """The reply that the pieces make. Raises GeminiFailed, with the usage as far as it was told."""
        strange = False
        for piece in pieces:
            self._take(piece)
            strange |= piece.usage_metadata is None and piece.prompt_feedback is None and not piece.candidates
        if self._blocked:
            raise blocked(self._blocked, self.usage)
        if not self._finish:
            raise junk() if strange else cut(self.usage)
        if self._finish == "MAX_TOKENS":
            raise GeminiFailed("the answer reached the limit of tokens before its end.", usage=self.usage)
        if self._finish != "STOP":
            raise stopped(self._finish, self._categories, self.usage)
        return ModelReply("".join(self._texts), tuple(self._calls), self.usage, self._finish)

    def _take(self, piece: Any) -> None:
        if piece.usage_metadata is not None:
            self.usage = _usage(piece.usage_metadata)  # each piece tells the sum so far
        feedback = piece.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            self._blocked = str(feedback.block_reason.value)
        if not piece.candidates:
            return
        candidate = piece.candidates[0]
        for part in (candidate.content.parts if candidate.content else None) or ():
            self._take_part(part)
        if candidate.finish_reason is not None:
            self._finish = str(candidate.finish_reason.value)
        if candidate.safety_ratings:
            self._categories += tuple(str(rating.category.value) for rating in candidate.safety_ratings if rating.blocked and rating.category is not None)

    def _take_part(self, part: Any) -> None:
        if part.function_call is not None:
            call = part.function_call
            self._calls.append(ToolCall(call.name or "", call.args or {}, call.id or "", part.thought_signature or b""))
        elif part.text and not part.thought:
            self._texts.append(part.text)


def _usage(told: Any) -> Usage:
    return Usage(
        prompt=_tokens(told.prompt_token_count) + _tokens(told.tool_use_prompt_token_count), cached=_tokens(told.cached_content_token_count),
        output=_tokens(told.candidates_token_count), thoughts=_tokens(told.thoughts_token_count),
    )  # fmt: skip


def _tokens(number: int | None) -> int:
    """A count as it may be reckoned with: one below zero would give money back."""
    return max(0, min(number or 0, _MOST_TOKENS))
