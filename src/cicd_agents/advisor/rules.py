"""What a model may use up, what it may answer, and the ports that the advisor needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cicd_agents.domain.advice import DossierKind, Usage

MODEL = "gemini-2.5-flash"


@dataclass(frozen=True, slots=True)
class AdviceRules:
    """Limits of one explanation.

    `max_tokens` is one answer's, `tokens` all calls' together, in and out. `seconds`, `calls` and `usd` are the run's; `usd_left` is what was reserved of
    the month's money; None: no limit. `opening_bytes` bounds the evidence that is shown at first; `hosts` are the only ones that prose may name by address.
    """

    model: str = MODEL
    temperature: float = 0.2
    max_tokens: int = 8192
    seconds: float = 90.0
    calls: int = 6
    tokens: int = 300_000
    usd: float | None = None
    usd_left: float | None = None
    opening_bytes: int = 120_000
    hosts: tuple[str, ...] = ()

    @property
    def most(self) -> Usage:
        """The tokens of the dearest explanation that these limits allow: as many of them as can be are of answers, which cost more than prompts."""
        answers = min(self.tokens, self.calls * self.max_tokens)
        return Usage(prompt=self.tokens - answers, output=answers)


@dataclass(frozen=True, slots=True)
class Reading:
    """Limits of what a model may ask for beyond what it was shown."""

    calls: int = 12
    lines: int = 200
    bytes: int = 48_000


READING = Reading()


@dataclass(frozen=True, slots=True)
class Ports:
    """What the advisor needs of the world: a clock that only goes on, whether a patch applies, a model's price (None: not known), the hiding of secrets."""

    clock: Callable[[], float]
    applies: Callable[[str], bool]
    cost: Callable[[str, Usage], float | None]
    redact: Callable[[str], str]


DEFAULTS: Mapping[str, AdviceRules] = {
    "pipeline-doctor": AdviceRules(),
    "release-manager": AdviceRules(),
    "deployment-guardian": AdviceRules(temperature=0.1, max_tokens=4096),
    "drift-detector": AdviceRules(temperature=0.1, max_tokens=6144),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The parts that an agent's answer may have; `extra` maps the name of a text to what it is for."""

    hypotheses: bool = True
    patches: bool = False
    commands: bool = True
    extra: tuple[tuple[str, str], ...] = ()


_NEXT = (("next", "what to look at next, in order, and what each would show"),)
SCOPES: Mapping[str, Scope] = {
    "pipeline-doctor": Scope(
        patches=True,
        extra=(("strategy", "only for a failure that comes and goes: timing, race, order or external service; wait, mock, isolate or raise the limit"),),
    ),
    "release-manager": Scope(
        hypotheses=False, commands=False,
        extra=(("title", "a title of at most 80 characters"), ("highlights", "the changes that matter to users, one a line, each after `- `"),
               ("migration", "what users must change, from the diffs of breaking changes; empty where nothing breaks")),
    ),
    "deployment-guardian": Scope(extra=_NEXT),
    "drift-detector": Scope(extra=_NEXT),
}  # fmt: skip

# The function by which a model reads on in items of some kinds.
TOOLS: Mapping[str, tuple[str, frozenset[DossierKind]]] = {
    "log_lines": ("More lines of a log or of an earlier failure.", frozenset({DossierKind.LOG, DossierKind.PAST})),
    "file_hunk": ("More lines of a source file, of a file's diff or of a commit.", frozenset({DossierKind.SOURCE, DossierKind.DIFF, DossierKind.COMMIT})),
    "metric_window": ("More rows of a metric, a table or a finding.", frozenset({DossierKind.METRIC, DossierKind.TABLE, DossierKind.FINDING})),
}
