"""In which phase a failure happened: by its signature, by the words of its step, by its category."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.phases import phase_of
from cicd_agents.domain.doctor import CATEGORIES, PHASES


def phase(category: str, *words: str, stated: str | None = None, beside: tuple[str, ...] = ()) -> str:
    """The phase; `words`: the command, its script, the step's name; `beside`: phases of other messages of the step."""
    return phase_of(stated, category, words, beside)


def test_the_phase_that_the_signature_states_wins() -> None:
    assert phase("test_failure", "Run pytest", stated="deploy", beside=("test",)) == "deploy"


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("compile", "build"), ("dependency_resolution", "build"), ("docker_image", "build"), ("type_check", "test"), ("lint_format", "test"),
        ("test_failure", "test"), ("test_flaky", "test"), ("coverage_threshold", "test"), ("security_audit", "test"), ("kubernetes_deploy", "deploy"),
        ("database_migration", "deploy"), ("infrastructure_runner", "infrastructure"), ("git_checkout", "infrastructure"), ("dependency_network", "build"),
        ("resource_quota", "infrastructure"),
    ],
)  # fmt: skip
def test_a_category_that_belongs_to_one_phase_decides_whatever_the_step(category: str, expected: str) -> None:
    assert phase(category, "pytest", "Deploy to production", beside=("deploy", "test")) == expected
    assert phase(category) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Deploy to production", "deploy"), ("Publish package", "deploy"), ("kubectl apply -f k8s", "deploy"), ("helm upgrade app", "deploy"),
        ("terraform apply", "deploy"), ("docker push registry/prod/app", "deploy"), ("Create release", "deploy"), ("python manage.py migrate", "deploy"),
        ("deploy-tests", "deploy"), ("make test", "test"), ("Run unit tests", "test"), ("npm run test:unit", "test"), ("pytest -q", "test"),
        ("cargo clippy", "test"), ("npm run lint", "test"), ("make check", "test"), ("e2e", "test"), ("tox -e py311", "test"), ("mvn verify", "test"),
        ("npm audit", "test"), ("Build and test", "test"), ("actions/checkout@v4", "infrastructure"), ("Checkout", "infrastructure"),
        ("Set up job", "infrastructure"), ("get_sources", "infrastructure"), ("restore_cache", "infrastructure"), ("actions/cache@v4", "infrastructure"),
        ("Initialize containers", "infrastructure"), ("npm ci", "build"), ("make all", "build"), ("docker build .", "build"), ("Install dependencies", "build"),
        ("bundle install", "build"), ("pip download x", "build"), ("Compile", "build"), ("mvn package", "build"),
    ],
)  # fmt: skip
def test_the_words_of_a_step_or_of_its_command_tell_the_phase(words: str, expected: str) -> None:
    assert phase("disk_full", words) == expected
    assert phase("disk_full", "", words) == expected
    assert phase("disk_full", words.upper()) == expected


def test_the_first_words_that_tell_a_phase_decide() -> None:
    assert phase("permission", "make test", "Deploy") == "test"
    assert phase("permission", "./x.sh", "Deploy", "make test") == "deploy"


def test_words_tell_more_than_other_messages_of_the_step() -> None:
    assert phase("permission", "helm upgrade app", beside=("test",)) == "deploy"


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (("build", "test", "deploy", "infrastructure"), "test"),
        (("build", "infrastructure", "deploy"), "deploy"),
        (("build", "infrastructure"), "infrastructure"),
        (("build",), "build"),
        ((), "build"),
    ],
)
@pytest.mark.parametrize("words", [(), ("",), ("./x.sh", "frobnicate")], ids=["no step", "nameless", "words that say nothing"])
def test_without_words_other_messages_of_the_step_decide_and_else_it_is_the_build(words: tuple[str, ...], beside: tuple[str, ...], expected: str) -> None:
    assert phase("disk_full", *words, beside=beside) == expected


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_a_phase_of_the_contract(category: str) -> None:
    assert phase(category) in PHASES
