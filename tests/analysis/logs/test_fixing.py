"""Fixes are filled with what the log says, and a command can be pasted into a shell."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.logs import bundled
from cicd_agents.analysis.logs.advice import advice
from cicd_agents.analysis.logs.fixing import Surroundings, fixes_of, texts_of
from cicd_agents.analysis.logs.signature import FixTemplate, Signature
from cicd_agents.domain.finding import Fix


def rule(*fixes: FixTemplate, title: str = "title", cause: str = "cause") -> Signature:
    return Signature(id="demo.rule", tool="demo", category="other", weight=80, match="x", title=title, cause=cause, fixes=fixes)


def fixes(*templates: FixTemplate, **captures: str) -> tuple[Fix, ...]:
    """The fixes of the rule itself, without the general advice that follows them."""
    *own, general = fixes_of(rule(*templates), captures, 0.9)
    assert general.title.startswith(advice()["other"].title[:10])
    return tuple(own)


def commands(template: str, **captures: str) -> tuple[str, ...]:
    (fix,) = fixes(FixTemplate("quick", "t", "d", (template,)), **captures)
    return fix.commands


def test_a_fix_is_filled_with_the_captures() -> None:
    template = FixTemplate("quick", "Install {package}", "{package} {version|of any version} is missing", ("npm i {package}", "npm ls"))
    assert fixes(template, package="left-pad") == (
        Fix("quick", "Install left-pad", "left-pad of any version is missing", ("npm i left-pad", "npm ls"), 0.72),
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "confidence"), [("quick", 0.72), ("lasting", 0.63), ("prevention", 0.54)])
def test_confidence_falls_from_quick_to_prevention(kind: str, confidence: float) -> None:
    assert fixes(FixTemplate(kind, "t"))[0].confidence == confidence


def test_the_general_advice_for_the_category_comes_last() -> None:
    found = fixes_of(rule(FixTemplate("quick", "t")), {}, 1.0)
    assert [fix.title for fix in found] == ["t", found[-1].title]
    assert (found[-1].kind, found[-1].commands) == ("lasting", ())


def test_a_fix_whose_title_lacks_a_capture_is_left_out() -> None:
    assert fixes(FixTemplate("quick", "Install {package}", "d")) == ()


def test_a_detail_that_lacks_a_capture_is_left_out_alone() -> None:
    assert fixes(FixTemplate("quick", "t", "see {url}"))[0].detail == ""


def test_a_command_that_lacks_a_capture_is_left_out_alone() -> None:
    assert fixes(FixTemplate("quick", "t", "d", ("a {package}", "b")))[0].commands == ("b",)


def test_a_fix_that_was_only_its_commands_is_left_out_with_them() -> None:
    assert fixes(FixTemplate("quick", "t", "", ("a {package}",))) == ()
    assert fixes(FixTemplate("quick", "t", "d", ("a {package}",)))[0].commands == ()


@pytest.mark.parametrize(
    ("value", "command"),
    [
        ("left-pad", "npm ls left-pad"),
        ("@scope/pkg", "npm ls @scope/pkg"),
        ("two words", "npm ls 'two words'"),
        ("x; rm -rf /", "npm ls 'x; rm -rf /'"),
        ("$(id)", "npm ls '$(id)'"),
        ("`id`", "npm ls '`id`'"),
        ("it's", "npm ls 'it'\"'\"'s'"),
        ("a\\b", "npm ls 'a\\b'"),
        ("*", "npm ls '*'"),
        ("~root", "npm ls '~root'"),
        ("{version}", "npm ls '{version}'"),
    ],
)
def test_a_capture_is_one_word_of_the_command(value: str, command: str) -> None:
    assert commands("npm ls {package}", package=value, version="never") == (command,)


@pytest.mark.parametrize("value", ["-rf", "--exec=sh", "-", "\x07-rf", "\u200b--exec"])
def test_a_capture_that_looks_like_an_option_is_put_into_no_command(value: str) -> None:
    assert commands("npm ls {package}", package=value) == ()
    assert commands("npm ls {package|all}", package=value) == ("npm ls all",)


CONTROLS = ["a\nb", "a\rb", "a\x1b[31mb", "a\x00b", "a\x9bb", "a\u202eb", "a\u200bb", "a\u2066b"]


@pytest.mark.parametrize("value", CONTROLS)
def test_a_capture_with_control_characters_is_put_into_no_command(value: str) -> None:
    assert commands("npm ls {package}", package=value) == ()


@pytest.mark.parametrize("value", ["a\u2028b", "a\u2060b", "a\ufeffb", "a\u00adb", "a\u061cb", "a\U000e0041b"])
def test_a_capture_with_any_other_unseen_character_is_put_into_no_command(value: str) -> None:
    assert commands("npm ls {package}", package=value) == ()


@pytest.mark.parametrize("value", CONTROLS)
def test_no_command_or_text_holds_a_control_character(value: str) -> None:
    template = FixTemplate("quick", "t {package}", "d {package}", ("npm ls {package|all}",))
    for fix in fixes(template, package=value):
        for text in (fix.title, fix.detail, *fix.commands):
            assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)


def test_a_capture_that_was_cut_is_shown_but_put_into_no_command() -> None:
    (fix,) = fixes(FixTemplate("quick", "t {package}", "d", ("npm ls {package}",)), package="p" * 201)
    assert fix.title == "t " + "p" * 12 + " …"
    assert fix.commands == ()
    assert commands("npm ls {package}", package="p" * 200) == ("npm ls " + "p" * 200,)


@given(st.text(min_size=1, max_size=30))
def test_any_capture_is_one_word_or_no_command(value: str) -> None:
    for command in commands("npm ls {package} --json", package=value):
        words = shlex.split(command)
        assert (words[:2], words[3:]) == (["npm", "ls"], ["--json"])
        assert not words[2].startswith("-")


EVIL = "x'; $(id) `id` \" && y"
NAMES = re.compile(r"\{(\w+)(?:\|[^{}]*)?\}")
TEMPLATES = sorted({(one.id, command) for one in bundled.signatures() for fix in one.fixes for command in fix.commands if "{" in command})


def inside_quotes(command: str) -> bool:
    """Whether a placeholder stands between quotes of the template itself."""
    return any(command[: found.start()].count(quote) % 2 for found in NAMES.finditer(command) for quote in "'\"")


def test_in_every_bundled_command_a_hostile_capture_stays_one_word() -> None:
    wrong = []
    for name, template in TEMPLATES:
        names = set(NAMES.findall(template))
        if names and not inside_quotes(template):
            (plain,) = commands(template, **dict.fromkeys(names, "v"))
            (hostile,) = commands(template, **dict.fromkeys(names, EVIL))
            if [word.replace(EVIL, "v") for word in shlex.split(hostile)] != shlex.split(plain):
                wrong.append((name, template))
    assert len(TEMPLATES) > 50
    assert wrong == []


def test_no_bundled_command_has_a_capture_between_quotes() -> None:
    assert [name for name, template in TEMPLATES if inside_quotes(template)] == []


@pytest.mark.parametrize(
    ("title", "cause", "expected"),
    [
        ("no {package}", "{package} is gone", ("no left-pad", "left-pad is gone")),
        ("no {module}", "c", ("demo.rule", "c")),
        ("no {module|module}", "{module}", ("no module", "")),
    ],
)
def test_a_text_that_cannot_be_filled_falls_back(title: str, cause: str, expected: tuple[str, str]) -> None:
    assert texts_of(rule(title=title, cause=cause), {"package": "left-pad"}) == expected


def test_texts_show_long_and_unseen_captures_cut_and_clean() -> None:
    title, cause = texts_of(rule(title="{a}", cause="{b}"), {"a": "x" * 999, "b": "y\x1b\u202ez"})
    assert (title, cause) == ("x" * 12 + " …", "yz")


def surrounded(*lines: str, root: int = 0) -> tuple[Fix, ...]:
    return fixes_of(rule(FixTemplate("quick", "own")), {}, 0.9, Surroundings(lines, root))


def test_what_the_tool_suggests_is_a_fix_of_its_own() -> None:
    own, hint, general = surrounded("error: it broke", "help: use a float literal", "note: see the book")
    assert (own.title, hint.title, hint.detail, hint.commands) == ("own", "Follow what demo itself suggests", "help: use a float literal", ())
    assert general.detail.endswith("The log says: error: it broke")


def test_the_general_advice_quotes_what_the_log_shows_around_the_root() -> None:
    _, general = surrounded("    def test_x():", ">       assert f(1) == 3", "E       assert 2 == 3", "x.py:4: AssertionError", root=2)
    assert general.detail.endswith("The log says: E assert 2 == 3 / > assert f(1) == 3 / x.py:4: AssertionError")


def test_quoted_text_is_bounded_and_without_unseen_characters() -> None:
    *_, general = surrounded("bad\u202e " + "word " * 400)
    assert len(general.detail) < len(advice()["other"].detail) + 900
    assert "\u202e" not in general.detail


def test_a_variable_in_the_notation_of_a_tool_is_no_placeholder() -> None:
    (fix,) = fixes(FixTemplate("quick", "Set ${NAME} for {package}"), package="left-pad")
    assert fix.title == "Set ${NAME} for left-pad"


def test_the_general_advice_follows_the_category_that_the_failure_was_told_to_be() -> None:
    of_rule, of_failure = (fixes_of(rule(FixTemplate("quick", "own")), {}, 0.9, category=category)[-1] for category in ("", "timeout"))
    assert of_rule.title == advice()[rule(FixTemplate("quick", "own")).category].title
    assert of_failure.title == advice()["timeout"].title
