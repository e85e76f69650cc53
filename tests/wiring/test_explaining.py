"""Whom the settings let ask a model, with what limits, and what is remembered of it: by google-genai's real client and a real memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.advisor.advisor_rig import PATCH, SECRET, Shelf, answer, dossier
from tests.servers.clock import FakeClock
from tests.servers.gemini import KEY, USAGE, Drip, GeminiServer, answers, call, calls, says, stops

from cicd_agents.clients.history import open_history
from cicd_agents.clients.model_prices import cost
from cicd_agents.domain.advice import Advice, Archive, Dossier, DossierItem, DossierKind, Usage
from cicd_agents.domain.context import Platform, PullRequest, RunContext
from cicd_agents.domain.errors import Unavailable, UsageError
from cicd_agents.domain.history import PastAdvice
from cicd_agents.domain.ports import AdviceMemory
from cicd_agents.domain.redaction import Redactor
from cicd_agents.settings.reading import read
from cicd_agents.wiring.explaining import Explainer, explainer
from cicd_agents.wiring.world import World

REPOSITORY = "org/shop"
MODEL = "gemini-2.5-flash"
USED = Usage(1200, 800, 90, 40)
PRICE = cost(MODEL, USED)


def _no_catalogue(_folder: str | None) -> Any:
    raise AssertionError("no signatures are needed")


@dataclass
class Rig:
    """A run with a workspace, and what it says; `left` are the seconds of its time."""

    workspace: Path
    stack: ExitStack
    server: GeminiServer
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)
    left: float = 300.0
    context: Mapping[str, Any] = field(default_factory=dict)

    def explainer(self, memory: Callable[[], AdviceMemory | None] = lambda: None, **settings: str) -> Explainer | None:
        given = {"gemini-key": KEY, "model-url": self.server.url} | {name.replace("_", "-"): value for name, value in settings.items()}
        read_as = {f"INPUT_{name.upper()}": value for name, value in given.items()}
        context = RunContext(Platform.GITHUB, "push", repository=REPOSITORY, workspace=str(self.workspace), **self.context)
        world = World({}, self.said.append, self.said.append, Redactor((SECRET,)), _no_catalogue, self.clock)
        return explainer(read({}, read_as, None, "github"), context, world, lambda: self.left, memory)

    def explain(self, memory: Callable[[], AdviceMemory | None] = lambda: None, *, about: Any = None, **settings: str) -> Advice:
        made = self.explainer(memory, **settings)
        assert made is not None
        return asked(made, about or dossier())

    def memory(self, *, writable: bool = True) -> AdviceMemory:
        return self.stack.enter_context(open_history(str(self.workspace / "memory.sqlite"), "", writable, self.clock))


def asked(made: Explainer, about: Dossier, archive: Archive | None = None) -> Advice:
    """The advice on a dossier that is enough for one."""
    advice = made.explain(lambda: (about, archive or Shelf()))
    assert advice is not None
    return advice


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with ExitStack() as stack, GeminiServer(answers(answer())) as server:
        yield Rig(tmp_path, stack, server)
        assert server.problems == []


# Who is asked


def test_a_bug_in_making_the_dossier_costs_the_explanation_alone(rig: Rig) -> None:
    made = rig.explainer()
    assert made is not None

    def broken() -> tuple[Dossier, Archive]:
        raise ZeroDivisionError

    advice = made.explain(broken)
    assert advice is not None
    assert advice.problem == "The advisor itself failed (ZeroDivisionError); please report this."
    assert made.explain(lambda: None) is None
    assert rig.server.requests == []


def test_a_model_explains_where_there_is_a_key(rig: Rig) -> None:
    advice = rig.explain()
    assert advice.narrative == answer()["narrative"]
    assert (advice.model, advice.calls, advice.usage, advice.cost, advice.problem) == (MODEL, 1, USED, PRICE, "")
    assert [request.headers["x-goog-api-key"] for request in rig.server.requests] == [KEY]
    assert rig.said == []


@pytest.mark.parametrize("given", [{"explain": "off"}, {"explain": "auto", "gemini_key": ""}], ids=["off", "no key"])
def test_nobody_is_asked_and_nothing_is_said(rig: Rig, given: dict[str, Any]) -> None:
    assert rig.explainer(**given) is None
    assert (rig.server.requests, rig.said) == ([], [])


def test_a_required_explanation_without_a_key_is_a_mistake(rig: Rig) -> None:
    with pytest.raises(UsageError, match=r"^explain is `required`, and there is no key: set gemini-key \(or GEMINI_API_KEY\), or vertex-project.$"):
        rig.explainer(explain="required", gemini_key="")
    assert rig.explainer(explain="required") is not None


_FORK = PullRequest(7, "a" * 40, "patch-1", "main", from_fork=True)


@pytest.mark.parametrize("context", [{"trusted": False}, {"pull_request": _FORK}], ids=["untrusted", "fork"])
def test_a_strangers_run_asks_only_where_that_is_allowed(rig: Rig, context: dict[str, Any]) -> None:
    rig.context = context
    assert rig.explainer() is None
    assert rig.explainer(explain="required", gemini_key="") is None  # a fork has no secrets: this must not fail its run
    assert rig.explain(explain_forks="true").narrative


def test_without_a_key_neither_the_advisor_nor_google_is_loaded(tmp_path: Path) -> None:
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.settings.reading import read
from cicd_agents.domain.redaction import Redactor
from cicd_agents.clients.clock import SystemClock
from cicd_agents.wiring.explaining import explainer
from cicd_agents.wiring.world import World
world = World({{}}, print, print, Redactor(), None, SystemClock())
context = RunContext(Platform.GITHUB, "push")
assert explainer(read({{}}, {{}}, None, "github"), context, world, None, None) is None
loaded = [name for name in sys.modules if name.split(".")[0] in ("google", "pydantic", "httpx") or name.startswith("cicd_agents.advisor")]
assert not loaded, loaded
assert explainer(read({{}}, {{"GEMINI_API_KEY": "k"}}, None, "github"), context, world, None, None) is not None
loaded = [name for name in sys.modules if name.split(".")[0] in ("google", "pydantic")]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("given", "saying"),
    [
        ({"model": "../files"}, "model: '../files' is no name of a model; it looks like gemini-2.5-flash."),
        ({"model_url": "http://gateway.example"}, "model-url: gateway.example would be called without TLS. Use https, or name the host in `allow-http`."),
        ({"model_url": "https://me:pw@gateway.example"}, "model-url: the address of gateway.example holds a user name or password."),
        ({"model_url": "https://169.254.169.254/"}, "model-url: 169.254.169.254 is a link-local or metadata address and is never called."),
        ({"model_url": "https://gateway.example?x=1"}, "model-url: the address may have a path, but nothing after `?` or `#`."),
        ({"model_url": "", "vertex_project": "a/b"}, "vertex-project and vertex-location: the project or the location of Vertex AI is not a name of one."),
        ({"model_record": "a.jsonl", "model_replay": "b.jsonl"}, "model-record and model-replay exclude each other; set one of them."),
        ({"model_replay": "none.jsonl"}, "none.jsonl cannot be read: No such file or directory."),
    ],
)  # fmt: skip
def test_settings_with_which_no_model_can_be_called_are_named(rig: Rig, given: dict[str, Any], saying: str) -> None:
    with pytest.raises(UsageError) as caught:
        rig.explainer(**given)
    assert saying in str(caught.value)
    assert KEY not in str(caught.value)


def test_plain_http_is_for_hosts_that_are_named(rig: Rig) -> None:
    assert rig.explainer(model_url="http://gateway.example/v1beta", allow_http="gateway.example") is not None


def test_a_key_that_cannot_be_sent_costs_the_explanation_only(rig: Rig) -> None:
    advice = rig.explain(gemini_key="two words")
    assert advice.problem == "Gemini: the key holds characters that cannot be sent. Was it copied whole, and nothing with it?"
    assert rig.server.requests == []


# Limits


def test_half_of_what_is_left_of_the_runs_time_is_kept_for_the_report(rig: Rig) -> None:
    rig.left = 40.0
    rig.server.script[:] = [Drip(clock=rig.clock)]
    assert rig.explain().problem == "Gemini: there was no whole answer within 20 s."
    rig.left = 1.0
    assert rig.explain().problem == "The time for the explanation (0.5 s) is over."
    assert len(rig.server.requests) == 1


def test_the_time_of_the_settings_bounds_an_explanation(rig: Rig) -> None:
    rig.server.script[:] = [Drip(clock=rig.clock)]
    assert rig.explain(explain_seconds="30").problem == "Gemini: there was no whole answer within 30 s."


def test_the_runs_money_is_that_of_all_its_questions(rig: Rig) -> None:
    rig.server.script[:] = [says(json.dumps(answer()), usage={**USAGE, "candidatesTokenCount": 8000})]
    made = rig.explainer(explain_run_usd="0.03")
    assert made is not None
    first, second = asked(made, dossier()), asked(made, dossier(question="And why else?"))
    assert first.problem == ""
    assert second.problem == "The next call might pass the run's limit of money for the model (explain-run-usd)."
    assert len(rig.server.requests) == 1


def test_a_month_without_a_memory_asks_nothing(rig: Rig) -> None:
    advice = rig.explain(explain_month_usd="5")
    assert advice.problem == "explain-month-usd needs a memory that counts what was paid: set `history` or `history-url`, or take the limit away."
    assert rig.server.requests == []


def test_a_month_with_a_memory_that_cannot_be_written_asks_nothing(rig: Rig) -> None:
    advice = rig.explain(lambda: rig.memory(writable=False), explain_month_usd="5")
    assert advice.problem.startswith("explain-month-usd needs a memory that can be written, and a dry run or a stranger's run writes none")
    assert rig.server.requests == []


def test_what_this_month_has_cost_counts_and_what_the_last_one_has_does_not(rig: Rig) -> None:
    memory = rig.memory()
    june = rig.clock.now()  # 2025-06-15
    memory.record_advice(PastAdvice(REPOSITORY, "other", "1", june - 15 * 86_400, "pipeline-doctor", MODEL, "", 4.99, 1))
    assert rig.explain(lambda: memory, explain_month_usd="5").problem == ""
    memory.record_advice(PastAdvice(REPOSITORY, "other", "2", june - 14 * 86_400, "pipeline-doctor", MODEL, "", 4.99, 1))
    advice = rig.explain(lambda: memory, about=dossier(question="And why else?"), explain_month_usd="5")
    assert advice.problem == "The next call might pass the month's limit of money for the model (explain-month-usd)."
    assert len(rig.server.requests) == 1


def test_two_runs_at_the_same_time_do_not_pass_the_months_limit_together(rig: Rig) -> None:
    others: list[Advice] = []

    def meanwhile(_asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """While the first run waits for its answer, another one would ask."""
        if not others:
            others.append(Advice())
            with open_history(str(rig.workspace / "memory.sqlite"), "", True, rig.clock) as memory:
                others.append(rig.explain(lambda: memory, about=dossier(question="And why else?"), explain_month_usd="0.05"))
        return answers(answer())

    rig.server.script[:] = [meanwhile]
    memory = rig.memory()
    assert rig.explain(lambda: memory, explain_month_usd="0.05").narrative
    assert others[1].problem == ("The month's money for the model (explain-month-usd: 0.05) is used up: 0.05 US dollars are paid, or reserved by other runs.")
    assert len(rig.server.requests) == 1
    assert memory.spent_since(REPOSITORY, 0.0) == pytest.approx(PRICE)
    assert rig.explain(lambda: memory, about=dossier(question="And why else?"), explain_month_usd="0.05").narrative


def test_no_more_is_reserved_than_an_explanation_can_cost_and_nothing_where_none_was_asked(rig: Rig) -> None:
    memory = rig.memory()
    seen: list[float] = []

    def meanwhile(_asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        with open_history(str(rig.workspace / "memory.sqlite"), "", True, rig.clock) as other:
            seen.append(other.spent_since(REPOSITORY, 0.0))
        return answers(answer())

    rig.server.script[:] = [meanwhile]
    rig.explain(lambda: memory, explain_month_usd="100")
    rig.explain(lambda: memory, about=dossier(question="And why else?"), explain_month_usd="100", explain_run_usd="0.1")
    # 6 answers of 8192 tokens, and the rest of 300,000 tokens of prompts; the run's own limit is lower in the second.
    assert seen == pytest.approx([cost(MODEL, Usage(250_848, output=49_152)), (PRICE or 0.0) + 0.1])
    spent = memory.spent_since(REPOSITORY, 0.0)
    assert spent == pytest.approx(2 * (PRICE or 0.0))
    rig.left = 1.0
    assert "is over" in rig.explain(lambda: memory, about=dossier(question="And at last?"), explain_month_usd="100").problem
    assert memory.spent_since(REPOSITORY, 0.0) == spent


@dataclass
class Unsettled:
    """A memory that goes away while the model answers."""

    memory: AdviceMemory
    writable: bool = True

    def advice(self, repository: str, key: str) -> str | None:
        return self.memory.advice(repository, key)

    def reserve(self, advice: PastAdvice, since: float, limit: float) -> PastAdvice | None:
        return self.memory.reserve(advice, since, limit)

    def settle(self, _reserved: PastAdvice, _advice: PastAdvice | None) -> None:
        raise Unavailable("the database is away.")

    def record_advice(self, _advice: PastAdvice) -> None:
        raise Unavailable("the database is away.")

    def spent_since(self, repository: str, since: float) -> float:
        return self.memory.spent_since(repository, since)


def test_what_was_reserved_and_cannot_be_settled_stays_counted(rig: Rig) -> None:
    memory = rig.memory()
    assert rig.explain(lambda: Unsettled(memory), explain_month_usd="0.05").narrative
    assert rig.said == ["The model's answers and costs are not remembered: the database is away."]
    assert memory.spent_since(REPOSITORY, 0.0) == pytest.approx(0.05)


def test_a_model_without_a_price_is_not_asked_where_money_is_limited(rig: Rig) -> None:
    for limit in ("explain_run_usd", "explain_month_usd"):
        advice = rig.explain(rig.memory, model="gemma-9", **{limit: "1"})
        assert advice.problem.startswith("No price of this model is known, so the money limit cannot be kept")
    assert rig.server.requests == []
    advice = rig.explain(model="gemma-9")
    assert (advice.problem, advice.cost) == ("", None)


# Memory


def test_the_same_question_is_asked_once(rig: Rig) -> None:
    memory = rig.memory()
    first, second = rig.explain(lambda: memory), rig.explain(lambda: memory)
    assert len(rig.server.requests) == 1
    assert second.remembered
    assert second.narrative == first.narrative
    assert (second.calls, second.cost) == (0, 0.0)
    assert memory.spent_since(REPOSITORY, 0.0) == pytest.approx(PRICE)


def test_what_a_failed_call_took_is_counted(rig: Rig) -> None:
    memory = rig.memory()
    pieces = stops("SAFETY", "HARM_CATEGORY_HARASSMENT")
    pieces[-1]["usageMetadata"] = USAGE
    rig.server.script[:] = [pieces, answers(answer())]
    failed = rig.explain(lambda: memory)
    assert failed.problem == "Gemini: the answer was stopped by a safety filter (harassment)."
    assert (failed.usage, failed.cost) == (USED, PRICE)
    assert memory.spent_since(REPOSITORY, 0.0) == pytest.approx(PRICE)
    assert not rig.explain(lambda: memory).remembered


def test_calls_before_the_failed_one_are_counted_with_it(rig: Rig) -> None:
    pieces = stops("SAFETY")
    pieces[-1]["usageMetadata"] = USAGE
    rig.server.script[:] = [calls(call("log_lines", {"item": "log:test", "first": 1, "last": 9})), pieces]
    failed = rig.explain()
    assert (failed.calls, failed.usage) == (2, USED.plus(USED))


@dataclass
class Broken:
    """A memory that does not answer."""

    writable: bool = True

    def record_advice(self, _advice: PastAdvice) -> None:
        raise Unavailable("the database is away.")

    def advice(self, _repository: str, _key: str) -> str | None:
        raise Unavailable("the database is away.")

    def reserve(self, _advice: PastAdvice, _since: float, _limit: float) -> PastAdvice | None:
        raise UsageError("the file is damaged.")

    def settle(self, _reserved: PastAdvice, _advice: PastAdvice | None) -> None:
        raise UsageError("the file is damaged.")

    def spent_since(self, _repository: str, _since: float) -> float:
        raise UsageError("the file is damaged.")


def test_a_memory_that_fails_costs_a_note(rig: Rig) -> None:
    assert rig.explain(Broken).narrative
    assert rig.said == ["The model's earlier answers could not be read: the database is away.",
                        "The model's answers and costs are not remembered: the database is away."]  # fmt: skip


def test_a_memory_that_cannot_tell_what_was_paid_costs_the_question(rig: Rig) -> None:
    advice = rig.explain(Broken, explain_month_usd="5")
    assert advice.problem == "What the model has cost this month cannot be read or written, so nothing is asked (explain-month-usd): the file is damaged."
    assert rig.server.requests == []


def test_a_memory_that_does_not_open_costs_a_note(rig: Rig) -> None:
    def away() -> AdviceMemory | None:
        raise UsageError("the file is damaged.")

    assert rig.explain(away).narrative
    assert rig.said == ["The model's answers and costs are not remembered: the file is damaged."]


def test_an_answer_in_memory_that_does_not_hold_is_asked_for_again(rig: Rig) -> None:
    memory = rig.memory()
    rig.explain(lambda: memory)
    database = rig.workspace / "memory.sqlite"
    rig.stack.close()
    change = "UPDATE cicd_agents_advice SET text = replace(text, 'leaves the tax out', 'is fine; see https://evil.example')"
    subprocess.run([sys.executable, "-c", f"import sqlite3; c = sqlite3.connect({str(database)!r}); c.execute({change!r}); c.commit()"], check=True)
    with GeminiServer(answers(answer())) as server:
        again = Rig(rig.workspace, rig.stack, server)
        advice = again.explain(again.memory)
        assert (advice.remembered, advice.narrative) == (False, answer()["narrative"])
        assert len(server.requests) == 1


# Recordings


def test_a_recording_answers_without_a_key_a_memory_and_a_request(rig: Rig) -> None:
    recorded = rig.explain(model_record="exchange.jsonl")
    asked = len(rig.server.requests)
    replayed = rig.explain(Broken, model_replay="exchange.jsonl", gemini_key="", model_url="", explain_month_usd="1", explain="required")
    assert replayed == recorded
    assert len(rig.server.requests) == asked
    assert rig.said == []


def test_who_records_gets_an_exchange_though_the_answer_is_known(rig: Rig) -> None:
    memory = rig.memory()
    rig.explain(lambda: memory)
    rig.explain(lambda: memory, model_record="exchange.jsonl")
    assert len((rig.workspace / "exchange.jsonl").read_text().splitlines()) == 1


def test_a_failure_is_replayed_with_what_it_took(rig: Rig) -> None:
    pieces = stops("SAFETY")
    pieces[-1]["usageMetadata"] = USAGE
    rig.server.script[:] = [pieces]
    recorded = rig.explain(model_record="exchange.jsonl")
    assert recorded.usage == USED
    assert rig.explain(model_replay="exchange.jsonl", gemini_key="") == recorded


# Harm


class Leaking:
    """An archive that nobody has redacted."""

    def lines(self, _item: str, _first: int, _last: int) -> tuple[str, ...] | None:
        return (f"password: {SECRET}", "fail")


def test_a_secret_that_slipped_into_the_dossier_does_not_leave(rig: Rig) -> None:
    rig.server.script[:] = [calls(call("log_lines", {"item": "log:test", "first": 400, "last": 401})), answers(answer())]
    items = (*dossier().items, DossierItem("log:deploy", DossierKind.LOG, f"job {SECRET}", (f"token={SECRET}", "fail"), 1, 2))
    made = rig.explainer(model_record="exchange.jsonl")
    assert made is not None
    assert asked(made, dossier(items=items), Leaking()).calls == 2
    assert SECRET.encode() not in b"".join(request.body for request in rig.server.requests)
    assert SECRET not in (rig.workspace / "exchange.jsonl").read_text()


def test_a_patch_is_kept_where_it_applies_to_the_workspace(rig: Rig) -> None:
    suggestion = {"title": "Add the tax again.", "patch": PATCH}
    rig.server.script[:] = [answers(answer(suggestions=[suggestion]))]
    assert dict(rig.explain().dropped) == {"does not apply": 1}
    (rig.workspace / "src").mkdir()
    (rig.workspace / "src/price.js").write_text("function gross(net, rate) {\n  return net;\n}\n")
    subprocess.run(["git", "init", "--quiet", str(rig.workspace)], check=True)
    assert [each.patch for each in rig.explain().suggestions] == [PATCH]


def test_a_bug_on_the_way_costs_the_explanation_only(rig: Rig) -> None:
    advice = rig.explain(about=dossier(agent="nobody"))
    assert advice.problem == "The advisor itself failed (KeyError); please report this."
    assert rig.server.requests == []


def test_the_question_goes_where_the_settings_say_and_nowhere_else(rig: Rig) -> None:
    with GeminiServer(answers(answer()), prefix="/google") as gateway:
        assert rig.explain(model_url=f"{gateway.url}/v1beta").narrative
        assert json.loads(gateway.requests[0].body)["contents"]
        assert gateway.problems == []
    assert rig.server.requests == []
