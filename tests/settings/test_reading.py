"""Settings: which layer wins, what is refused, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.verdict import FailOn
from cicd_agents.report.outputs import to_dotenv
from cicd_agents.settings.model import Settings
from cicd_agents.settings.options import OPTIONS, Kind
from cicd_agents.settings.reading import read


def settings(environment: Mapping[str, str] | None = None, file: Mapping[str, Any] | None = None, platform: str = "github", **given: str) -> Settings:
    return read({name.replace("_", "-"): value for name, value in given.items()}, environment or {}, file, platform)


def test_without_anything_the_defaults_hold() -> None:
    plain = settings()
    assert (plain.agent, plain.fail_on, plain.max_jobs, plain.reports, plain.rerun_min_confidence) == ("auto", FailOn.NEVER, 5, ("markdown", "json"), 0.8)
    assert plain.sources == ()


def test_each_layer_yields_to_the_one_before_it() -> None:
    layers: list[tuple[dict[str, str], dict[str, str], dict[str, Any]]] = [
        ({"max-jobs": "1"}, {"INPUT_MAX-JOBS": "2", "CICD_AGENTS_MAX_JOBS": "3"}, {"max-jobs": 4}),
        ({}, {"INPUT_MAX-JOBS": "2", "CICD_AGENTS_MAX_JOBS": "3"}, {"max-jobs": 4}),
        ({}, {"INPUT_MAX-JOBS": "", "CICD_AGENTS_MAX_JOBS": "3"}, {"max-jobs": 4}),
        ({}, {}, {"max-jobs": 4}),
        ({}, {}, {}),
    ]
    assert [read(*layer, "github").max_jobs for layer in layers] == [1, 2, 3, 4, 5]


def test_it_is_told_from_where_a_setting_came() -> None:
    sources = dict(settings({"INPUT_COMMENT": "off", "CICD_AGENTS_DRY_RUN": "true"}, {"fail-on": "fail"}).sources)
    assert sources == {"comment": "input comment", "dry-run": "variable CICD_AGENTS_DRY_RUN", "fail-on": ".cicd-agents.yml: fail-on"}


def test_a_platform_token_goes_to_its_own_platform_only() -> None:
    environment = {"GITHUB_TOKEN": "of-github", "CICD_AGENTS_GITLAB_TOKEN": "of-gitlab", "JENKINS_API_TOKEN": "of-jenkins"}
    assert [settings(environment, platform=name).token for name in ("github", "gitlab", "jenkins", "local")] == ["of-github", "of-gitlab", "of-jenkins", ""]


@pytest.mark.parametrize("platform", ["github", "gitlab", "jenkins", "local"])
def test_the_key_of_a_model_is_read_on_every_platform_from_the_first_name_that_has_one(platform: str) -> None:
    environment = {"CICD_AGENTS_GEMINI_KEY": "own", "GEMINI_API_KEY": "gemini", "GOOGLE_API_KEY": "google"}
    found = []
    while environment:
        found.append(settings(environment, platform=platform).gemini_key)
        environment.pop(next(iter(environment)))
    assert found == ["own", "gemini", "google"]
    assert settings(platform=platform).gemini_key == ""


def test_an_amount_of_money_is_a_number_and_nothing_is_no_limit() -> None:
    given = settings({"INPUT_EXPLAIN-RUN-USD": "0.25"}, {"explain-month-usd": 5})
    assert (given.explain_run_usd, given.explain_month_usd) == (0.25, 5.0)
    assert (settings().explain_run_usd, settings({"INPUT_EXPLAIN-RUN-USD": "0"}).explain_run_usd) == (None, 0.0)


def test_of_the_model_only_what_spends_less_or_names_it_may_stand_in_the_file() -> None:
    about = [option for option in OPTIONS if option.name.startswith(("explain", "model", "gemini", "vertex"))]
    assert [option.name for option in about if option.in_file] == ["explain", "model", "explain-seconds", "explain-run-usd", "explain-month-usd"]


def test_secrets_are_not_in_the_repr() -> None:
    environment = {f"CICD_AGENTS_{option.field.upper()}": "hidden-value" for option in OPTIONS if option.kind is Kind.SECRET}
    made = settings(environment)
    assert made.token == "hidden-value"
    assert "hidden-value" not in repr(made)


def test_no_secret_may_stand_in_the_file() -> None:
    assert not [option.name for option in OPTIONS if option.kind is Kind.SECRET and option.in_file]


@pytest.mark.parametrize(
    ("environment", "file", "says"),
    [
        ({"INPUT_MAX-JOBS": "many"}, {}, "input max-jobs: 'many' is not a whole number from 1 to 50."),
        ({"INPUT_MAX-JOBS": "0"}, {}, "input max-jobs: '0' is not a whole number from 1 to 50."),
        ({"INPUT_DRY-RUN": "yes"}, {}, "input dry-run: 'yes' is not true or false."),
        ({"CICD_AGENTS_FAIL_ON": "failure"}, {}, "variable CICD_AGENTS_FAIL_ON: 'failure' is not one of never, fail, inconclusive."),
        ({"CICD_AGENTS_RERUN_MIN_CONFIDENCE": "nan"}, {}, "'nan' is not a number from 0 to 1."),
        ({"INPUT_REPORTS": "json, pdf"}, {}, "'json, pdf' is not a list of markdown, json"),
        ({"INPUT_RERUN-CATEGORIES": "network"}, {}, "is not a list of compile, lint_format"),
        ({"INPUT_EXPLAIN-RUN-USD": "inf"}, {}, "input explain-run-usd: 'inf' is not an amount of US dollars, such as 5 or 0.25."),
        ({"INPUT_EXPLAIN-RUN-USD": "-1"}, {}, "input explain-run-usd: '-1' is not an amount of US dollars"),
        ({"INPUT_EXPLAIN-MONTH-USD": "1e3"}, {}, "input explain-month-usd: '1e3' is not an amount of US dollars"),
        ({}, {"explain-month-usd": [1]}, ".cicd-agents.yml: explain-month-usd must be an amount of US dollars, such as 5 or 0.25."),
        ({}, {"model-url": "https://evil.example"}, ".cicd-agents.yml: model-url may not stand in the file"),
        ({}, {"explain-forks": True}, ".cicd-agents.yml: explain-forks may not stand in the file"),
        ({"CICD_AGENTS_FAILON": "fail"}, {}, "variable CICD_AGENTS_FAILON: no such setting; did you mean fail-on?"),
        ({"INPUT_FAIL_ONN": "fail"}, {}, "input fail-onn: no such setting; did you mean fail-on?"),
        ({"INPUT_HISTORY": "a\nb"}, {}, "input history: history is too long or holds control characters."),
        ({}, {"fail-onn": "fail"}, ".cicd-agents.yml: 'fail-onn' is no setting; did you mean fail-on?; see docs/settings.md."),
        ({}, {"colour": "red"}, ".cicd-agents.yml: 'colour' is no setting; see docs/settings.md."),
        ({}, {"token": "x"}, ".cicd-agents.yml: token may not stand in the file; give it as an input or as CICD_AGENTS_TOKEN."),
        ({}, {"loki-url": "http://evil.example"}, ".cicd-agents.yml: loki-url may not stand in the file"),
        ({}, {"rerun-forks": True}, ".cicd-agents.yml: rerun-forks may not stand in the file"),
        ({}, {"max-jobs": [1]}, ".cicd-agents.yml: max-jobs must be a whole number from 1 to 50."),
        ({}, {"dry-run": {"a": 1}}, ".cicd-agents.yml: dry-run must be true or false."),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(environment: dict[str, str], file: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        settings(environment, file)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_a_doctor_hands_to_later_jobs_is_no_setting_of_theirs() -> None:
    handed = to_dotenv(dict.fromkeys(("outcome", "agent", "rerun", "signature", "title"), "needs-approval"))
    environment = dict(line.split("=", 1) for line in handed.splitlines())
    assert settings(environment) == settings()


def test_names_that_are_like_none_of_ours_are_somebody_elses() -> None:
    assert settings({"CICD_AGENTS_RESULT_OUTCOME": "fail", "INPUT_WHATEVER-ELSE": "x"}).agent == "auto"


def test_lists_are_divided_by_commas_and_lines() -> None:
    assert settings({"INPUT_LOG": "a.log\nb.log, c.log\n"}).log == ("a.log", "b.log", "c.log")
    assert settings(file={"issue-labels": ["ci", "flaky"]}).issue_labels == ("ci", "flaky")


def test_yaml_values_are_read_by_their_kind() -> None:
    made = settings(file={"dry-run": True, "max-jobs": 7, "rerun-min-confidence": 0.9, "comment": None})
    assert (made.dry_run, made.max_jobs, made.rerun_min_confidence, made.comment) == (True, 7, 0.9, "auto")
