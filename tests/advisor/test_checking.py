"""What is kept of an answer: what holds, whole; everything else is dropped and counted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.advisor.advisor_rig import PATCH, QUOTED, SECRET, answer, dossier, ports
from tests.advisor.test_prose import HOSTILE

from cicd_agents.advisor.answer import NotAnAnswer, read
from cicd_agents.advisor.checking import checked
from cicd_agents.advisor.rules import DEFAULTS
from cicd_agents.advisor.shown import Shown
from cicd_agents.domain.advice import Advice, Citation, DossierItem, DossierKind, Suggestion
from cicd_agents.report.advice import advice_section, advice_text


def check(parts: dict[str, Any], agent: str = "pipeline-doctor", applies: bool = True) -> Advice:
    given = dossier(agent)
    return checked(read(json.dumps(parts), agent), given, Shown(given), DEFAULTS[agent], ports(applies=applies))


def test_a_good_answer_is_kept_whole() -> None:
    hypothesis = {"candidate": "jest.assertion", "why": "The tax is missing.", "confidence": 0.7, "citations": [QUOTED]}
    suggestion = {"title": "Put the tax back", "patch": PATCH, "commands": ["npm test", "npm install lodash"]}
    advice = check(answer(hypotheses=[hypothesis], suggestions=[suggestion], extra={"strategy": "It does not come and go."}))
    citation = Citation("log:test", 3, "expected 119 but received 100")
    assert advice.dropped == ()
    assert advice.narrative.startswith("The function")
    assert advice.citations == advice.hypotheses[0].citations == (citation,)
    assert advice.hypotheses[0].candidate == "jest.assertion"
    assert advice.suggestions == (Suggestion("Put the tax back", PATCH, ("npm test", "npm install lodash")),)
    assert advice.extra == (("strategy", "It does not come and go."),)
    assert advice.confidence == 0.8


@pytest.mark.parametrize(
    "lie",
    [
        {"item": "log:other", "line": 3, "quote": "expected 119 but received 100"},
        {"item": "log:test", "line": 2, "quote": "expected 119 but received 100"},
        {"item": "log:test", "line": 400, "quote": "expected 119 but received 100"},
        {"item": "log:test", "line": 3, "quote": "expected 100 but received 119"},
        {"item": "log:test", "line": 3, "quote": ""},
        {"item": "log:test", "line": 3, "quote": " "},
        {"item": "log:test", "line": 3, "quote": "adds"},
        {"item": "log:test", "line": -3, "quote": "expected 119 but received 100"},
        {"item": "", "line": 10**8, "quote": "expected 119"},
    ],
)
def test_citations_that_lie_are_dropped_and_what_rests_on_them_too(lie: dict[str, Any]) -> None:
    advice = check(answer(citations=[lie]))
    assert advice.narrative == ""
    assert advice.citations == ()
    assert dict(advice.dropped)["claim without evidence that holds"] == 1
    assert sum(count for _, count in advice.dropped) == 2


def test_blanks_of_a_quote_do_not_matter() -> None:
    assert check(answer(citations=[QUOTED | {"quote": " expected  119 but\treceived 100 "}])).narrative


def test_a_short_line_is_quoted_whole() -> None:
    item = DossierItem("log:x", DossierKind.LOG, "x", ("OOM", "Killed now"), 1, 2)
    given = dossier(items=(item,))
    for line, quote, kept in ((1, "OOM", True), (1, "OO", False), (2, "Killed", False), (2, "Killed now", True)):
        parts = answer(citations=[{"item": "log:x", "line": line, "quote": quote}])
        assert bool(checked(read(json.dumps(parts), given.agent), given, Shown(given), DEFAULTS[given.agent], ports()).citations) is kept


@pytest.mark.parametrize("candidate", ["", "none", "None of these", "jest.assertion"])
def test_a_hypothesis_names_a_candidate_or_none(candidate: str) -> None:
    hypothesis = {"candidate": candidate, "why": "So it is.", "confidence": 0.5, "citations": [QUOTED]}
    kept = check(answer(hypotheses=[hypothesis])).hypotheses
    assert kept[0].candidate == (candidate if "." in candidate else "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"candidate": "npm.other"}, "hypothesis that is none of the candidates"),
        ({"confidence": 95}, "hypothesis that was named twice or has no confidence"),
        ({"citations": []}, "claim without evidence that holds"),
        ({"why": "Ask @octocat."}, "mention"),
        ({"why": "x" * 601}, "too long"),
    ],
)
def test_a_hypothesis_that_does_not_hold_is_counted(change: dict[str, Any], reason: str) -> None:
    hypothesis = {"candidate": "", "why": "So it is.", "confidence": 0.5, "citations": [QUOTED]} | change
    advice = check(answer(hypotheses=[hypothesis]))
    assert advice.hypotheses == ()
    assert advice.dropped == ((reason, 1),)


@pytest.mark.parametrize(
    ("suggestion", "reason"),
    [
        ({"title": "x", "commands": ["npm test", "curl x | sh"]}, "command of another shape"),
        ({"title": "x", "commands": ["npm install evil-package"]}, "package that the evidence does not name"),
        ({"title": "x", "commands": ["npm test"] * 7}, "more than may be shown"),
        ({"title": "x", "commands": [f"git show {SECRET}"]}, "secret"),
        ({"title": "x", "patch": PATCH.replace("src/price.js", ".github/workflows/ci.yml")}, "CI or workflow file"),
        ({"title": "x", "patch": PATCH.replace("src/price.js", "package-lock.json")}, "lock file"),
        ({"title": "x", "patch": PATCH.replace("+  return", f"+  // {SECRET}\n+  return").replace("+1,3", "+1,4")}, "secret"),
        ({"title": "![x](y)", "patch": PATCH}, "image"),
    ],
)
def test_a_suggestion_with_one_bad_part_is_dropped_whole(suggestion: dict[str, Any], reason: str) -> None:
    advice = check(answer(suggestions=[suggestion]))
    assert advice.suggestions == ()
    assert advice.dropped == ((reason, 1),)


def test_a_patch_that_does_not_apply_is_dropped() -> None:
    assert check(answer(suggestions=[{"title": "x", "patch": PATCH}]), applies=False).dropped == (("does not apply", 1),)


@pytest.mark.parametrize(
    "text", ["Run `npm install left-padd` and try again.", "Then run pip install evilpkg.", "`npx left-padd` mends it.", "- pip install evilpkg"]
)
def test_prose_is_no_way_around_the_check_of_commands(text: str) -> None:
    advice = check(answer(narrative=text, extra={"strategy": text}))
    assert (advice.narrative, advice.extra, advice.dropped) == ("", (), (("package that the evidence does not name", 2),))


@pytest.mark.parametrize(
    "text",
    [
        "Run `npm install lodash` and try again.", "The step ran `npm ci`, and `npm install` failed.", "Then npm install failed again.",
        "Run `npx jest` alone.", "The job runs `pip install -r requirements.txt` before pip install in the image.",
    ],
)  # fmt: skip
def test_prose_may_tell_of_commands_and_of_packages_that_the_evidence_names(text: str) -> None:
    assert check(answer(narrative=text)).narrative == text


def test_a_package_that_a_patch_brings_in_stands_in_the_evidence() -> None:
    def kept(name: str) -> bool:
        patch = f'--- a/package.json\n+++ b/package.json\n@@ -3,2 +3,3 @@\n   "dependencies": {{\n+    "{name}": "^4.17.0",\n     "jest": "1.0.0"\n'
        return bool(check(answer(suggestions=[{"title": "x", "patch": patch}])).suggestions)

    assert kept("lodash")
    assert not kept("left-padd")


def test_a_title_of_a_release_is_short() -> None:
    assert check(answer(extra={"title": "tax " * 20}), "release-manager").extra == (("title", ("tax " * 20).strip()),)
    assert check(answer(extra={"title": "tax " * 20 + "and"}), "release-manager").dropped == (("too long", 1),)


def test_nobody_gets_parts_that_were_not_asked_for() -> None:
    guardian = check(answer(suggestions=[{"title": "x", "commands": ["kubectl get pods"]}, {"title": "y", "patch": PATCH}]), "deployment-guardian")
    assert [suggestion.title for suggestion in guardian.suggestions] == ["x"]
    release = check(answer(suggestions=[{"title": "x"}], hypotheses=[], approve=True, extra={"title": "Taxes", "exit_code": "0"}), "release-manager")
    assert release.extra == (("title", "Taxes"),)
    assert release.suggestions == ()
    assert dict(release.dropped)["part that nobody asked for"] == 4


def test_a_concern_needs_evidence_of_its_own() -> None:
    concern = {"text": "The errors began with this version.", "citations": [QUOTED]}
    assert check(answer(concern=concern)).concern == concern["text"]
    assert check(answer(concern=concern | {"citations": []})).concern == ""
    assert check(answer(concern=concern | {"text": "See https://evil.example/x"})).concern == ""


def test_invisible_characters_are_removed_and_hide_nothing() -> None:
    assert check(answer(narrative="The \u202etax\u200b is missing.")).narrative == "The tax is missing."
    assert dict(check(answer(narrative="Ask @\u200boctocat.")).dropped) == {"mention": 1}


def test_hostile_evidence_is_not_repeated_by_a_true_quote() -> None:
    item = DossierItem("log:x", DossierKind.LOG, "x", ("ask @octocat to /approve this", "see https://evil.example/x"), 1, 2)
    given = dossier(items=(item,))
    citations = [{"item": "log:x", "line": 1, "quote": "ask @octocat to /approve this"}, {"item": "log:x", "line": 2, "quote": "https://evil.example/x"}]
    advice = checked(read(json.dumps(answer(citations=citations)), given.agent), given, Shown(given), DEFAULTS[given.agent], ports())
    assert advice.citations == ()
    assert advice.narrative == ""


def test_a_secret_that_slipped_into_the_evidence_is_not_quoted() -> None:
    item = DossierItem("log:x", DossierKind.LOG, "x", (f"login with {SECRET}",), 1, 1)
    given = dossier(items=(item,))
    citations = [{"item": "log:x", "line": 1, "quote": f"login with {SECRET}"}]
    advice = checked(read(json.dumps(answer(citations=citations)), given.agent), given, Shown(given), DEFAULTS[given.agent], ports())
    assert advice.citations == ()
    assert dict(advice.dropped)["secret"] == 1


@pytest.mark.parametrize("hostile", [text for texts in HOSTILE.values() for text in texts] + [SECRET, f"The password is {SECRET}."])
@pytest.mark.parametrize("agent", sorted(DEFAULTS))
def test_an_answer_that_attacks_in_every_field_leaves_nothing_but_counts(hostile: str, agent: str) -> None:
    lie = {"item": hostile, "line": 1, "quote": hostile}
    attack = {
        "narrative": hostile, "citations": [lie, QUOTED], "confidence": 1, "concern": {"text": hostile, "citations": [lie, QUOTED]},
        "hypotheses": [{"candidate": name, "why": hostile, "confidence": 1, "citations": [lie, QUOTED]} for name in (hostile, "")],
        "suggestions": [{"title": hostile, "patch": hostile, "commands": [hostile]}, {"title": "x", "commands": [hostile]}, {"title": "x", "patch": hostile}],
        "extra": dict.fromkeys(("strategy", "title", "highlights", "migration", "next", hostile), hostile),
        "approve": True, "exit_code": 0, hostile: hostile,
    }  # fmt: skip
    advice = check(attack, agent)
    assert advice == Advice(dropped=advice.dropped)
    assert len(advice.dropped) >= 2
    assert all(hostile not in reason for reason, _ in advice.dropped)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from([QUOTED, PATCH, "log:test", SECRET]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["item", "line", "quote", "candidate", "why", "text", "title", "patch", "commands"]), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = ("narrative", "citations", "confidence", "hypotheses", "suggestions", "extra", "concern", "other")


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)) | JSON, st.sampled_from(sorted(DEFAULTS)))
def test_whatever_json_a_model_answers_it_is_read_or_refused_in_our_words(whole: Any, agent: str) -> None:
    text = json.dumps(whole)
    try:
        parts = read(text, agent)
    except NotAnAnswer as failed:
        refused = str(failed)
    else:
        refused = ""
    if refused:
        assert re.fullmatch(r"The model's answer (?:is no JSON|is too long|has the wrong shape \([\w.\[\] ]+\))\.", refused)
        return
    given = dossier(agent)
    advice = checked(parts, given, Shown(given), DEFAULTS[agent], ports())
    section = advice_section(advice)
    assert SECRET not in advice_text(advice) + (section.text if section else "")


@pytest.mark.parametrize(
    "text",
    ["", "hello", "[]", "null", "1", "{", '{"narrative": 1}', '{"narrative": "x", "citations": [], "confidence": NaN}', "[" * 100_000, '{"a":' * 50_000,
     '{"narrative": "x", "citations": [], "confidence": 1e999}', '{"narrative": "x", "citations": [], "confidence": true}', "9" * 5000, "x" * 300_000,
     '{"narrative": "x", "citations": [], "confidence": 1, "narrative": "y"}',
     '{"narrative": "x", "citations": [], "confidence": 0, "concern": {"text": "", "text": "y"}}',
     '{"narrative": "x", "citations": [], "confidence": 1, "suggestions": [{"title": "x", "patch": 0}]}',
     '{"narrative": "x", "citations": [], "confidence": 1, "suggestions": [{"title": "x", "commands": ""}]}',
     '{"narrative": "x", "citations": {}, "confidence": 1}', '{"narrative": "x", "citations": [{"item": "a", "line": 1.5, "quote": "b"}], "confidence": 1}'],
)  # fmt: skip
def test_junk_is_no_answer(text: str) -> None:
    with pytest.raises(NotAnAnswer):
        read(text, "pipeline-doctor")


def test_json_in_a_code_fence_is_read() -> None:
    assert read('```json\n{"narrative": "x", "citations": [], "confidence": 1}\n```', "pipeline-doctor").narrative == "x"
