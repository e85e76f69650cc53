"""Advice for common situations, and where missing programs come from."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs import programs
from cicd_agents.analysis.logs import situations as module
from cicd_agents.analysis.logs.programs import brings
from cicd_agents.analysis.logs.signature import fill
from cicd_agents.analysis.logs.situations import MOST, situations
from cicd_agents.domain.doctor import CATEGORIES


def test_every_situation_is_of_known_categories_and_needs_no_capture() -> None:
    for categories, _, fix in module._table():
        assert categories <= set(CATEGORIES)
        assert fill(fix.title, {}) == fix.title
        assert fill(fix.detail, {}) == fix.detail


@pytest.mark.parametrize(
    ("category", "message", "words"),
    [
        ("permission", "bash: ./gradlew: Permission denied", "git update-index --chmod=+x"), ("permission", "ccache: error: Permission denied", "CCACHE_DIR"),
        ("auth_secret", "denied: requested access to the resource is denied, registry", "docker login"),
        ("auth_secret", "npm error code E401", "NODE_AUTH_TOKEN"),
        ("git_checkout", "error: cannot rebase: You have unstaged changes.", "commit or stash"),
        ("dependency_network", "ERROR 404: Not Found.", "existing version"),
        ("dependency_network", "curl: (6) Could not resolve host: a", "DNS"), ("configuration", "service app: undefined secret \"a\"", "docker secret create"),
        ("test_failure", "AssertionError: expected 849.1500001 to be 849", "toBeCloseTo"), ("compile", "error: unused import: `a`", "unused import"),
        ("missing_tool_or_file", "cp: cannot stat 'dist/app.js': No such file or directory", "output directory"),
        ("missing_tool_or_file", "sh: 1: vite: not found", "devDependencies"),
    ],
)  # fmt: skip
def test_the_words_of_the_message_choose_the_advice(category: str, message: str, words: str) -> None:
    assert any(words in f"{fix.title} {fix.detail}" for fix in situations(category, message))


def test_other_messages_and_categories_get_none_and_nobody_more_than_a_few() -> None:
    assert situations("permission", "Permission denied") == ()
    assert situations("timeout", "sh: 1: vite: not found") == ()
    assert len(situations("auth_secret", "npm docker registry git aws google azure ssh sonar")) == MOST


def test_a_missing_program_is_told_with_what_brings_it() -> None:
    (fix,) = brings("missing_tool_or_file", "/usr/bin/mvn")
    assert fix.title == "Install mvn"
    assert "install maven" in fix.detail.lower()
    assert brings("missing_tool_or_file", "no-such-program") == ()
    assert brings("missing_tool_or_file", "") == ()
    assert brings("permission", "mvn") == ()


def test_texts_about_programs_need_no_capture() -> None:
    for name, text in programs._table().items():
        assert fill(text, {}) == text, name
