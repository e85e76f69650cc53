"""The words of the advisor: the evidence that a model may read, what it is asked, what it answers, and what is kept of that.

The model explains; it decides nothing. It sees a dossier of redacted, bounded evidence and may ask for more of it. What it says is checked, and may at most
turn a pass into "a person should look". Times are seconds, money is US dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from cicd_agents.domain.errors import ServiceError

# What is gathered for the model


class DossierKind(StrEnum):
    """What an item of a dossier is."""

    LOG = "log"
    COMMIT = "commit"
    DIFF = "diff"
    SOURCE = "source"
    TABLE = "table"
    METRIC = "metric"
    FINDING = "finding"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class DossierItem:
    """One piece of evidence, redacted. `id` names it in citations (`log:test`, `commit:1a2b3c4d5e`, `diff:src/price.js`, `table:metrics`, `finding:1`).

    `lines` are what is shown at first, the first of them is number `first` (from 1) of `total` lines that there are.
    """

    id: str
    kind: DossierKind
    title: str
    lines: tuple[str, ...]
    first: int = 1
    total: int = 0

    @property
    def last(self) -> int:
        """The number of the last line that is shown."""
        return self.first + len(self.lines) - 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """An explanation of the engine, which the model may rank: `id` as in the report (a signature, a metric), where it stands in the dossier."""

    id: str
    title: str
    item: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the model is shown. `question` says what is to be explained, in our own words; everything else may be hostile."""

    agent: str
    question: str
    verdict: str
    items: tuple[DossierItem, ...]
    candidates: tuple[Candidate, ...] = ()


class Archive(Protocol):
    """The whole of the dossier's items, redacted, for what the model asks for beyond what it was shown."""

    def lines(self, item: str, first: int, last: int) -> tuple[str, ...] | None:
        """The lines from `first` to `last` (from 1, both inclusive) as far as there are any; None where there is no such item."""
        ...


# The model


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model calls; `arguments` are as hostile as its text. `signature` is handed back to the model as it came."""

    name: str
    arguments: Mapping[str, Any]
    id: str = ""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation. `role` is user or model; a model's turn has text and calls, a user's text or `results` (call, text)."""

    role: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[tuple[ToolCall, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function that may be called: `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What is asked. `system` is the fixed part and comes first, so that it can be cached; `schema` is the answer's JSON Schema; `seconds` bounds the call."""

    model: str
    system: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolSpec, ...]
    schema: Mapping[str, Any]
    temperature: float
    max_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more calls. `cached` are those of `prompt` that were cheaper; `thoughts` count as output.

    `estimated` are those of `prompt` and `output` that the service did not tell; they are reckoned from above.
    """

    prompt: int = 0
    cached: int = 0
    output: int = 0
    thoughts: int = 0
    estimated: int = 0

    def plus(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            self.prompt + other.prompt, self.cached + other.cached, self.output + other.output, self.thoughts + other.thoughts,
            self.estimated + other.estimated,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What came back: text (JSON by the schema, if the model did as asked), or calls. `finish` is the service's word for why it ended."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    finish: str = ""


class ModelFailed(ServiceError):
    """No usable reply: timeout, rate limit, refusal, safety block, junk, a cut stream. The text is one sentence without anything that the model said.

    `usage` is what the failed call took all the same, as far as the service told it; `untold`: the question was sent, and maybe paid for, without that.
    """

    def __init__(self, sentence: str, usage: Usage = Usage(), untold: bool = False) -> None:
        super().__init__(sentence)
        self.usage = usage
        self.untold = untold


class LanguageModel(Protocol):
    """A model behind an API."""

    def reply(self, request: ModelRequest) -> ModelReply:
        """Its reply, which is paid for at most once, whatever is tried for it. Raises ModelFailed."""
        ...


# What is kept of the answer


@dataclass(frozen=True, slots=True)
class Citation:
    """A claim's evidence: a line of an item and the words that stand there; checked to be there."""

    item: str
    line: int
    quote: str


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An explanation, the likeliest first. `candidate` is one of the engine's, empty for "none of these". `confidence` is the model's own, 0 to 1."""

    candidate: str
    why: str
    confidence: float
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to do, not tried: a patch that applies (unified diff), and commands of allowed shapes."""

    title: str
    patch: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What the model said, as far as it held. Everything in it is plain text, to be escaped like any other text from outside.

    `narrative` explains in a few sentences; `extra` are parts by name (highlights, migration, strategy, next). `concern`: a person should look, and why.
    `dropped` counts what was not kept, by the reason. `cost` is None where the model's price is not known. `problem` says in one sentence why there is no
    explanation; then all else is empty.
    """

    narrative: str = ""
    hypotheses: tuple[Hypothesis, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    citations: tuple[Citation, ...] = ()
    concern: str = ""
    confidence: float = 0.0
    dropped: tuple[tuple[str, int], ...] = ()
    model: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0
    cost: float | None = 0.0
    calls: int = 0
    remembered: bool = False
    problem: str = ""
