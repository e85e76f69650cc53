"""What leaves for a model holds no secret, also none that is broken over lines."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import pytest

from cicd_agents.clients.model_redaction import WithoutSecrets
from cicd_agents.domain.advice import ModelReply, ModelRequest, ToolCall, Turn
from cicd_agents.domain.redaction import Redactor

KNOWN = "kd93-canary-Zq81-of-the-tests-that-is-long-enough-to-be-wrapped"
SHAPED = "ghp_" + "Zk9q" * 9
REDACTOR = Redactor((KNOWN,))
WRAPPED = base64.b64encode(f"user:{KNOWN}".encode()).decode()


@dataclass
class Heard:
    """A model that keeps what it was asked."""

    requests: list[ModelRequest] = field(default_factory=list)

    def reply(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        return ModelReply()


def sent(text: str) -> str:
    """The text as it leaves, as an opening and as the answer to a call."""
    heard = Heard()
    turns = (Turn("user", text), Turn("model", "More."), Turn("user", results=((ToolCall("log_lines", {}), text),)))
    WithoutSecrets(heard, lambda text: REDACTOR.redact(text).text).reply(ModelRequest("m", "s", turns, (), {}, 0.2, 99, 9.0))
    [request] = heard.requests
    assert request.turns[2].results[0][1] == request.turns[0].text
    return request.turns[0].text


def numbered(*lines: str) -> str:
    return "\n".join(["id| log:test", *(f"{number}| {line}" for number, line in enumerate(lines, 7)), "end"])


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        (("before", f"login {KNOWN[:20]}", f"{KNOWN[20:]} failed", "behind"), (KNOWN[:20], KNOWN[20:])),
        ((f"+{KNOWN[:20]}", f"+  {KNOWN[20:]}"), (KNOWN[:20], KNOWN[20:])),
        ((f"{KNOWN[:20]} \\", f"    {KNOWN[20:]}"), (KNOWN[:20], KNOWN[20:])),
        ((SHAPED[:9], SHAPED[9:]), (SHAPED[9:],)),
        ((WRAPPED[:30], WRAPPED[30:60], WRAPPED[60:]), (WRAPPED[30:60],)),
    ],
)
def test_a_secret_that_is_broken_over_lines_does_not_leave(lines: tuple[str, ...], parts: tuple[str, ...]) -> None:
    text = sent(numbered(*lines))
    assert not [part for part in parts if part in text]
    assert text.count("[redacted:broken-over-lines]") >= 2
    assert [line.partition("| ")[0] for line in text.split("\n")] == [line.partition("| ")[0] for line in numbered(*lines).split("\n")]


@pytest.mark.parametrize(
    "lines",
    [
        ("Enter the password:", "Error: no terminal"),
        ("export TOKEN=", "made it", "secret: ", "lines that follow"),
        ("a" * 40, "b" * 40, "0123456789abcdef" * 2, "0123456789abcdef" * 2),
        (f"one {KNOWN[:20]}", "a line between", KNOWN[20:]),
        ("AKIA", "IOSFODNN7", "x"),
        (),
    ],
)
def test_lines_that_only_stand_below_each_other_stay_as_they_are(lines: tuple[str, ...]) -> None:
    assert sent(numbered(*lines)) == numbered(*lines)


def test_words_around_a_secret_and_whole_secrets_are_as_before() -> None:
    text = sent(numbered(f"whole {KNOWN} here", f"login as mona {KNOWN[:20]}", f"{KNOWN[20:]} failed"))
    assert "7| whole [redacted:known-value] here" in text
    assert "8| login as mona [redacted:broken-over-lines]\n9| [redacted:broken-over-lines] failed\n" in text
