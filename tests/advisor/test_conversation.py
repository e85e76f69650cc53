"""The conversation: what is sent, what a model may ask for, and that every failure costs the explanation and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from tests.advisor.advisor_rig import PATCH, QUOTED, Prepared, Shelf, answer, dossier, ports, said
from tests.servers.clock import FakeClock

from cicd_agents.advisor.answer import schema
from cicd_agents.advisor.conversation import ANSWER_NOW, advise
from cicd_agents.advisor.dossier_text import system_text
from cicd_agents.advisor.effect import concerned
from cicd_agents.advisor.memory import kept, question_key, recalled
from cicd_agents.advisor.rules import DEFAULTS, AdviceRules, Reading
from cicd_agents.domain.advice import Advice, Citation, ModelFailed, ModelReply, ToolCall, Usage
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.advice import advice_text

RULES = AdviceRules()


def calls(*arguments: dict[str, Any], name: str = "log_lines") -> ModelReply:
    return ModelReply(calls=tuple(ToolCall(name, each, f"id{index}") for index, each in enumerate(arguments)), usage=Usage(500, 0, 20, 5))


def test_an_answer_becomes_advice_with_what_it_took() -> None:
    clock = FakeClock()
    model = Prepared([said(answer())], before=lambda: clock.advance(2.5))
    advice = advise(dossier(), Shelf(), model, RULES, ports(clock.monotonic))
    assert advice.narrative
    assert (advice.problem, advice.model, advice.calls, advice.seconds) == ("", "gemini-2.5-flash", 1, 2.5)
    assert advice.usage == Usage(1000, 100, 50, 10)
    assert advice.cost == pytest.approx(1060e-6)


@pytest.mark.parametrize(
    ("agent", "temperature", "tokens"),
    [("deployment-guardian", 0.1, 4096), ("pipeline-doctor", 0.2, 8192), ("release-manager", 0.2, 8192), ("drift-detector", 0.1, 6144)],
)
def test_each_agent_has_its_own_settings_prompt_and_shape(agent: str, temperature: float, tokens: int) -> None:
    model = Prepared([said(answer())])
    advise(dossier(agent), Shelf(), model, DEFAULTS[agent], ports())
    request = model.requests[0]
    assert (request.model, request.temperature, request.max_tokens) == ("gemini-2.5-flash", temperature, tokens)
    assert request.system == system_text(agent)
    assert request.schema == schema(agent)
    jsonschema.Draft202012Validator.check_schema(dict(request.schema))
    jsonschema.validate(answer(), dict(request.schema))


def test_the_fixed_part_comes_first_and_holds_nothing_of_the_evidence() -> None:
    one, other = Prepared([said(answer())]), Prepared([said(answer())])
    advise(dossier(), Shelf(), one, RULES, ports())
    advise(dossier(items=()), Shelf(), other, RULES, ports())
    assert one.requests[0].system == other.requests[0].system
    assert "src/price" not in one.requests[0].system


def test_more_lines_are_shown_and_may_be_cited() -> None:
    more = {"item": "log:test", "line": 301, "quote": "line 301 of log:test"}
    model = Prepared([calls({"item": "log:test", "first": 300, "last": 302.0}), said(answer(citations=[more]))])
    advice = advise(dossier(), Shelf(), model, RULES, ports())
    assert advice.citations == (Citation("log:test", 301, "line 301 of log:test"),)
    _, asked, results = model.requests[1].turns
    assert asked.role == "model"
    assert asked.calls == model.requests[1].turns[2].results[0][:1]
    assert re.findall(r"^\d+\| .*", results.results[0][1], re.MULTILINE) == [f"{number}| line {number} of log:test" for number in (300, 301, 302)]
    assert advice.calls == 2
    assert advice.usage == Usage(1500, 100, 70, 15)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("log_lines", {}), ("log_lines", {"item": "log:none", "first": 1, "last": 2}), ("log_lines", {"item": ["log:test"], "first": 1, "last": 2}),
        ("log_lines", {"item": "diff:src/price.js", "first": 1, "last": 2}), ("file_hunk", {"item": "log:test", "first": 1, "last": 2}),
        ("log_lines", {"item": "log:test", "first": "1", "last": 2}), ("log_lines", {"item": "log:test", "first": True, "last": 2}),
        ("log_lines", {"item": "log:test", "first": 0, "last": 2}), ("log_lines", {"item": "log:test", "first": 5, "last": 2}),
        ("log_lines", {"item": "log:test", "first": float("nan"), "last": float("inf")}), ("log_lines", {"item": "log:test", "first": 1.5, "last": 2}),
        ("log_lines", {"item": "log:test", "first": 10**400, "last": 10**401}), ("run_shell", {"command": "env"}), ("", {}),
        ("log_lines", {"item": "../../etc/passwd", "first": 1, "last": 2}), ("log_lines", {"item": "\ud800", "first": {}, "last": []}),
    ],
)  # fmt: skip
def test_junk_of_a_function_call_gets_one_line_of_ours_and_no_look_at_the_archive(name: str, arguments: dict[str, Any]) -> None:
    shelf = Shelf()
    model = Prepared([calls(arguments, name=name), said(answer())])
    assert advise(dossier(), shelf, model, RULES, ports()).narrative
    told = model.requests[1].turns[2].results[0][1]
    assert told.startswith("Refused: ")
    assert "\n" not in told
    assert shelf.asked == []


def test_lines_of_one_question_all_questions_and_bytes_are_bounded() -> None:
    many = [{"item": "log:test", "first": 1, "last": 10**6}] * 5
    model = Prepared([calls(*many), said(answer())])
    shelf = Shelf()
    advise(dossier(), shelf, model, RULES, ports(), Reading(calls=4, lines=20, bytes=1200))
    results = [text for _, text in model.requests[1].turns[2].results]
    assert {last - first for _, first, last in shelf.asked} == {19}
    assert sum(len(text) for text in results) < 3000
    assert results[-1] == "Refused: no more lines may be asked for. Answer with what there is."
    assert model.requests[1].tools == ()


def test_only_functions_that_make_sense_are_offered() -> None:
    model = Prepared([said(answer())])
    advise(dossier(), Shelf(), model, RULES, ports())
    assert [tool.name for tool in model.requests[0].tools] == ["log_lines", "file_hunk"]


def test_the_last_call_offers_no_function() -> None:
    ask = calls({"item": "log:test", "first": 1, "last": 2})
    model = Prepared([ask, ask, said(answer())])
    assert advise(dossier(), Shelf(), model, replace(RULES, calls=3), ports()).narrative
    assert [bool(request.tools) for request in model.requests] == [True, True, False]


def test_a_model_that_only_asks_is_stopped() -> None:
    ask = calls({"item": "log:test", "first": 1, "last": 2})
    advice = advise(dossier(), Shelf(), Prepared([ask] * 9), replace(RULES, calls=4), ports())
    assert advice.problem == "The model gave no answer."
    assert advice.calls == 4


def test_words_instead_of_an_answer_get_one_more_turn() -> None:
    model = Prepared([ModelReply("Let me think about it."), said(answer())])
    assert advise(dossier(), Shelf(), model, RULES, ports()).narrative
    assert [turn.text for turn in model.requests[1].turns[1:]] == ["Let me think about it.", ANSWER_NOW]
    assert model.requests[1].tools == ()


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (ModelFailed("The model did not answer in time."), "The model did not answer in time."),
        (ModelReply("junk"), "The model's answer is no JSON."),
        (ModelReply('{"narrative": "x'), "The model's answer is no JSON."),
        (ModelReply('{"narrative": 1}'), "The model's answer has the wrong shape (narrative)."),
        (ModelReply(""), "The model gave no answer."),
        (ModelReply('{"narr', finish="MAX_TOKENS"), "The model's answer was cut at its limit of 8192 tokens."),
        (said(answer(citations=[])), "Nothing that the model said held when it was checked."),
    ],
)
def test_every_failure_is_one_sentence_and_leaves_the_rest_empty(reply: ModelReply | ModelFailed, problem: str) -> None:
    advice = advise(dossier(), Shelf(), Prepared([reply, reply]), RULES, ports())
    assert advice.problem == problem
    assert replace(advice, usage=Usage(), model="", calls=0, cost=0.0, dropped=()) == Advice(problem=problem)


def test_a_bug_of_ours_costs_the_explanation_and_names_no_content() -> None:
    class Broken(Shelf):
        def lines(self, item: str, first: int, last: int) -> tuple[str, ...] | None:
            raise KeyError(f"content of {item}: {first} {last}")

    advice = advise(dossier(), Broken(), Prepared([calls({"item": "log:test", "first": 1, "last": 2})]), RULES, ports())
    assert advice.problem == "The advisor itself failed (KeyError); please report this."


def test_time_is_bounded_over_all_calls() -> None:
    clock = FakeClock()
    ask = calls({"item": "log:test", "first": 1, "last": 2})
    model = Prepared([ask] * 9, before=lambda: clock.advance(40))
    advice = advise(dossier(), Shelf(), model, replace(RULES, seconds=90), ports(clock.monotonic))
    assert [request.seconds for request in model.requests] == [90, 50, 10]
    assert advice.problem == "The time for the explanation (90 s) is over."
    assert advice.seconds == 120


@pytest.mark.parametrize(
    ("rules", "price", "problem"),
    [
        (replace(RULES, usd=0.00001), 1e-6, "run's limit of money"),
        (replace(RULES, usd_left=0.0), 1e-6, "month's limit"),
        (replace(RULES, usd=1.0), None, "No price of this model is known"),
        (replace(RULES, tokens=9000), 1e-6, "limit of 9,000 tokens"),
        (replace(RULES, calls=0), 1e-6, "limit of 0 calls"),
        (replace(RULES, seconds=0), 1e-6, "is over"),
    ],
)
def test_a_limit_that_is_passed_already_sends_no_request(rules: AdviceRules, price: float | None, problem: str) -> None:
    model = Prepared([])
    advice = advise(dossier(), Shelf(), model, rules, ports(price=price))
    assert model.requests == []
    assert problem in advice.problem
    assert advice.cost == 0


def test_money_stops_a_conversation_before_the_call_that_might_pass_it() -> None:
    ask = calls({"item": "log:test", "first": 1, "last": 2})
    model = Prepared([ask] * 9)
    advice = advise(dossier(), Shelf(), model, replace(RULES, usd=0.012), ports(price=1e-6))
    assert "run's limit of money" in advice.problem
    assert 0 < len(model.requests) < RULES.calls
    assert (advice.cost or 0.0) <= 0.012


def test_without_a_call_it_cost_nothing_whatever_the_models_price() -> None:
    assert advise(dossier(), Shelf(), Prepared([]), replace(RULES, calls=0), ports(price=None)).cost == 0.0


def test_what_a_failed_call_took_is_added_to_the_others() -> None:
    ask = calls({"item": "log:test", "first": 1, "last": 2})
    advice = advise(dossier(), Shelf(), Prepared([ask, ModelFailed("Cut.", Usage(7, 0, 5, 3))]), RULES, ports(price=1.0))
    assert advice.usage == ask.usage.plus(Usage(7, 0, 5, 3))
    assert advice.problem == "Cut."


def test_what_the_service_does_not_tell_is_counted_from_above_and_said() -> None:
    model = Prepared([replace(said(answer()), usage=Usage())])
    quiet = advise(dossier(), Shelf(), model, RULES, ports(price=1e-6))
    [request] = model.requests
    sent = len(request.system.encode()) + len(request.turns[0].text.encode())
    assert quiet.narrative
    assert sent / 3 <= quiet.usage.prompt <= sent
    assert len(json.dumps(answer())) / 3 <= quiet.usage.output
    assert quiet.usage.estimated == quiet.usage.prompt + quiet.usage.output
    assert "of them estimated from above, as the service did not tell them" in advice_text(quiet)

    broken = advise(dossier(), Shelf(), Prepared([ModelFailed("Cut.", untold=True)]), RULES, ports(price=1e-6))
    assert broken.usage == Usage(prompt=quiet.usage.prompt, estimated=quiet.usage.prompt)
    assert broken.cost == pytest.approx(1e-6 * quiet.usage.prompt)
    assert "estimated from above" in advice_text(broken)

    assert "estimated" not in advice_text(advise(dossier(), Shelf(), Prepared([said(answer())]), RULES, ports()))


def test_counts_that_cannot_be_do_not_use_up_a_months_money() -> None:
    absurd = Prepared([said(answer(), Usage(10**9, 0, 10**9, 10**9))])
    usage = advise(dossier(), Shelf(), absurd, RULES, ports()).usage
    assert (usage.output, usage.thoughts) == (RULES.max_tokens, RULES.max_tokens)
    assert usage.prompt < len(absurd.requests[0].system) + len(absurd.requests[0].turns[0].text) + 21_000


def test_a_flood_of_words_in_place_of_an_answer_is_not_sent_again() -> None:
    model = Prepared([ModelReply("[" * 90_000), said(answer())])
    assert advise(dossier(), Shelf(), model, RULES, ports()).narrative
    assert [turn.text for turn in model.requests[1].turns[1:]] == [ANSWER_NOW]


def test_the_arguments_of_calls_go_back_and_count_against_the_limits() -> None:
    ask = calls({"item": "log:test", "first": 1, "last": 2, "why": "x" * 90_000})
    model = Prepared([ask, said(answer())])
    assert advise(dossier(), Shelf(), model, replace(RULES, tokens=30_000), ports()).problem == "The next call might pass the limit of 30,000 tokens."
    assert len(model.requests) == 1


def test_a_model_without_a_known_price_may_be_asked_where_no_money_limit_is_set() -> None:
    advice = advise(dossier(), Shelf(), Prepared([said(answer())]), RULES, ports(price=None))
    assert advice.narrative
    assert advice.cost is None


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_concern_turns_a_pass_into_a_question_and_nothing_else_into_anything(outcome: Outcome) -> None:
    raised = Advice(concern="Look at it.", citations=(Citation("log:test", 3, "expected 119"),))
    assert concerned(outcome, raised) is (Outcome.INCONCLUSIVE if outcome is Outcome.PASS else outcome)
    for without in (Advice(), replace(raised, citations=()), replace(raised, concern=""), replace(raised, problem="It failed.")):
        assert concerned(outcome, without) is outcome


def test_the_key_of_a_question_follows_dossier_rules_and_prompt_and_not_time_and_money() -> None:
    key = question_key(dossier(), RULES)
    assert key == question_key(dossier(), replace(RULES, seconds=5, usd=1.0, usd_left=2.0))
    others = [
        question_key(dossier(verdict="pass"), RULES), question_key(dossier("release-manager"), RULES), question_key(dossier(candidates=()), RULES),
        question_key(dossier(), replace(RULES, model="other")), question_key(dossier(), replace(RULES, temperature=0.3)),
        question_key(dossier(items=()), RULES),
    ]  # fmt: skip
    assert len({key, *others}) == 7
    assert re.fullmatch("[0-9a-f]{64}", key)


def whole_answer() -> dict[str, Any]:
    more = {"item": "log:test", "line": 301, "quote": "line 301 of log:test"}
    return answer(
        citations=[QUOTED, more], concern={"text": "Look at it.", "citations": [QUOTED]}, extra={"strategy": "Wait."},
        hypotheses=[{"candidate": "", "why": "So it is.", "confidence": 0.5, "citations": [more]}],
        suggestions=[{"title": "Put the tax back", "patch": PATCH, "commands": ["npm test"]}, {"title": "Read on"}],
    )  # fmt: skip


def test_what_was_kept_comes_back_as_it_was_marked_as_remembered() -> None:
    model = Prepared([calls({"item": "log:test", "first": 300, "last": 302}), said(whole_answer())])
    advice = advise(dossier(), Shelf(), model, RULES, ports())
    assert advice.dropped == ()
    again = recalled(kept(advice), dossier(), Shelf(), RULES, ports())
    assert again == replace(advice, usage=Usage(), seconds=0.0, cost=0.0, calls=0, remembered=True)


@pytest.mark.parametrize(
    ("text", "applies"),
    [
        ("", True),
        ("{}", True),
        (json.dumps(answer(narrative="Ask @octocat.")), True),
        (json.dumps(answer(citations=[QUOTED | {"item": "log:gone"}])), True),
        (json.dumps(answer(suggestions=[{"title": "x", "patch": PATCH}])), False),
    ],
)
def test_a_memory_that_does_not_hold_is_not_used(text: str, applies: bool) -> None:
    assert recalled(text, dossier(), Shelf(), RULES, ports(applies=applies)) is None


def test_a_poisoned_memory_costs_no_thousand_looks_into_a_log() -> None:
    cited = [{"item": "log:test", "line": 300 + number, "quote": f"line {300 + number} of log:test"} for number in range(200)]
    shelf = Shelf()
    assert recalled(json.dumps(answer(citations=cited)), dossier(), shelf, RULES, ports()) is None
    assert shelf.asked == []
