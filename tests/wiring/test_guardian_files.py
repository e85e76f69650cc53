"""The guardian on files: tables of numbers, policies, AnalysisTemplates and SLO files, as a person runs it on the command line, and past releases."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from tests.agents.guardian_metrics_data import SINCE
from tests.wiring.guardian_cli import guardian
from tests.wiring.guardian_rig import BROKEN, EMPTY, HEALTHY, Deployment, prometheus

from cicd_agents.domain.errors import UsageError

Run = Callable[..., tuple[int, str, str]]
GOOD = "Error rate: 0.12% (baseline: 0.10%) / P95 latency: 165ms (baseline: 150ms) / CPU: 48% (baseline: 45%)"
BAD = "Error rate: 5.2% (baseline: 0.10%) / P95 latency: 450ms (baseline: 150ms)"
SELECTORS = {"canary_selector": 'pod=~"api-new-.*"', "baseline_selector": 'pod=~"api-old-.*"', "deployed_at": "20m"}
FORMS = ("text", "markdown", "json", "html")


def on_lines(text: str) -> str:
    return text.replace(" / ", "\n") + "\n"


def shown(out: str) -> str:
    """What a reader sees: of HTML the text without tags."""
    import html

    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", out, flags=re.DOTALL))) if out.startswith("<!") else out


def test_a_rollback_that_nothing_can_do_is_told_at_a_go_already(deployment: Deployment) -> None:
    for service, code in ((HEALTHY, 0), (BROKEN, 1)):
        ran = guardian(deployment, "check", rollback="auto", **SELECTORS, metrics_selector=f'namespace="{service}"')
        assert ran.code == code, ran.out
        assert "rollback: auto has nothing to act by" in ran.out


def test_a_secret_that_is_cut_is_hidden_and_commands_are_safe_to_copy(deployment: Deployment) -> None:
    token = "ghp_" + "a1B2" * 9
    selectors = SELECTORS | {"canary_selector": f'pod=~"api-new-.*",note!="{"x" * 55}{token}"'}
    ran = guardian(deployment, "check", **selectors, metrics_selector=f'namespace="{BROKEN}"', service="shop; rm -rf $HOME")
    assert ran.code == 1, ran.out
    assert "ghp_" not in ran.out
    assert "argocd app rollback 'shop; rm -rf $HOME' <ID>" in ran.out


# The two scenarios, word for word


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("write", [str, on_lines], ids=["with slashes", "on lines"])
def test_a_small_change_proceeds(cicd_agents: Run, tmp_path: Path, form: str, write: Callable[[str], str]) -> None:
    (tmp_path / "numbers.txt").write_text(write(GOOD))
    code, out, _ = cicd_agents("guardian", "check", "--metrics-table", tmp_path / "numbers.txt", "--format", form)
    assert code == 0
    if form == "json":
        report = json.loads(out)
        assert (report["details"]["decision"], report["details"]["status"]) == ("promote", "pass")
    else:
        assert "PROCEED" in shown(out)
    assert "Error rate within threshold" in shown(out)
    assert "ROLLBACK" not in shown(out)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("write", [str, on_lines], ids=["with slashes", "on lines"])
def test_a_spike_is_rolled_back(cicd_agents: Run, tmp_path: Path, form: str, write: Callable[[str], str]) -> None:
    (tmp_path / "numbers.txt").write_text(write(BAD))
    code, out, _ = cicd_agents("guardian", "check", "--metrics-table", tmp_path / "numbers.txt", "--format", form)
    assert code == 1
    if form == "json":
        assert json.loads(out)["details"]["decision"] == "rollback"
    else:
        assert "ROLLBACK" in shown(out)
        assert "PROCEED" not in shown(out)
    assert "Error rate spike" in shown(out)
    assert "argocd app rollback" in shown(out)


def test_the_commands_name_the_service_that_is_set(cicd_agents: Run, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text(BAD)
    _, out, _ = cicd_agents("guardian", "check", "--metrics-table", tmp_path / "numbers.txt", "--service", "shop-api")
    assert "argocd app rollback shop-api" in out


# Tables in other forms


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("numbers.json", '{"error_rate": {"canary": "5.2%", "baseline": "0.10%"}, "latency_p95": {"canary": "450ms", "baseline": "150ms"}}'),
        ("numbers.yml", "error_rate: {canary: 5.2%, baseline: 0.10%}\nlatency_p95: {canary: 450ms, baseline: 150ms}\n"),
        ("numbers.md", "| Metric | Baseline | Canary |\n|---|---|---|\n| Error rate | 0.10% | 5.2% |\n| P95 latency | 150ms | 450ms |\n"),
        ("with-a-mark.txt", "\ufeff" + BAD),
    ],
)
def test_tables_of_all_forms_say_the_same(cicd_agents: Run, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    code, out, _ = cicd_agents("guardian", "check", "--metrics-table", tmp_path / name, "--format", "json")
    assert code == 1
    assert "Error rate spike" in json.loads(out)["summary"]


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_a_table_is_read_from_standard_input(cicd_agents: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, on_lines(GOOD).encode())
    code, out, _ = cicd_agents("guardian", "check", "--metrics-table", "-")
    assert code == 0
    assert "PROCEED" in out


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\xff\xfe\x00junk", "is not UTF-8"), (b"", "no number of a metric"), (b"x" * 300_000, "larger than"), (b"{not: json", "line 1: is not JSON")],
)
def test_junk_on_standard_input_is_one_sentence(cicd_agents: Run, monkeypatch: pytest.MonkeyPatch, data: bytes, words: str) -> None:
    piped(monkeypatch, data)
    code, out, said = cicd_agents("guardian", "check", "--metrics-table", "-")
    assert (code, out) == (2, "")
    assert said.startswith("cicd-agents: standard input")
    assert words in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.txt", b"Error rate: 0.12% (baseline: 0.10%)\nP95 latency: slow\n", "Line 2 of the table"),
        ("a.txt", b"Error rate: 0.12 apples\n", "Line 1 of the table"),
        ("a.txt", b"\xff\xfe\x00", "is not UTF-8"),
        ("a.txt", b"hello\n", "no number of a metric"),
        ("a.json", b'{\n  "error_rate": }', "line 2: is not JSON"),
        ("a.yml", b"error_rate: {canary: 1%\nfoo: [", "line 2: is not YAML"),
        ("a.yml", b"cpu: {canary: 48%}\nspeed:\n  canary: 3\n", "line 2: speed of the table"),
        ("a.yml", b"a: &a [x, x]\nb: &b [*a, *a]\nc: *c\n", "line 3: is not YAML"),
        ("a.txt", None, "no such file"),
    ],
)
def test_junk_in_a_file_is_one_sentence_with_the_file_and_the_line(cicd_agents: Run, tmp_path: Path, name: str, data: bytes | None, words: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    code, out, said = cicd_agents("guardian", "check", "--metrics-table", tmp_path / name)
    assert (code, out) == (2, "")
    assert name in said
    assert words in said
    assert len(said.splitlines()) == 1


def test_a_folder_for_a_table_is_one_sentence(cicd_agents: Run, tmp_path: Path) -> None:
    code, _, said = cicd_agents("guardian", "check", "--metrics-table", tmp_path)
    assert code == 2
    assert "cannot be read" in said


def test_two_kinds_of_input_at_once_are_refused(cicd_agents: Run, tmp_path: Path) -> None:
    code, _, said = cicd_agents("guardian", "check", "--metrics-table", tmp_path / "a", "--slo-file", tmp_path / "b")
    assert code == 2
    assert "metrics-table" in said
    assert "slo-file" in said


# Policies and settings


def test_the_policy_that_is_printed_reads_back_to_itself(cicd_agents: Run, tmp_path: Path) -> None:
    for given in ([], ["--canary-policy", "examples/canary/policy.yml"], ["--strategy", "blue-green"], ["--queries", "queue=max(queue{selector})"]):
        code, first, said = cicd_agents("guardian", "policy", *given)
        assert code == 0, said
        assert isinstance(yaml.safe_load(first), dict)
        (tmp_path / "policy.yml").write_text(first)
        assert cicd_agents("guardian", "policy", "--canary-policy", tmp_path / "policy.yml")[1] == first


def test_a_wrong_policy_names_its_file_and_line(cicd_agents: Run, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("strategy: canary\nmetrics:\n  latency_p95: {go: fast}\n")
    code, _, said = cicd_agents("guardian", "policy", "--canary-policy", tmp_path / "policy.yml")
    assert code == 2
    assert re.search(r"policy\.yml, line 3: metrics\.latency_p95", said)


def test_settings_come_from_the_file_of_the_folder(cicd_agents: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numbers.txt").write_text(BAD)
    (tmp_path / ".cicd-agents.yml").write_text("service: from-the-file\nguardian-fail-on: never\n")
    code, out, _ = cicd_agents("guardian", "check", "--metrics-table", "numbers.txt")
    assert (code, "from-the-file" in out) == (0, True)
    code, out, _ = cicd_agents("guardian", "check", "--metrics-table", "numbers.txt", "--service", "from-the-line", "--guardian-fail-on", "fail")
    assert (code, "from-the-line" in out, "from-the-file" in out) == (1, True, False)


def test_the_policy_of_a_fork_is_not_read(cicd_agents: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = {"id": 1, "full_name": "octo/shop", "default_branch": "main"}
    pull = {
        "number": 5, "head": {"sha": "b" * 40, "ref": "x", "repo": {"id": 2, "full_name": "m/shop"}}, "base": {"sha": "a" * 40, "ref": "main", "repo": repo},
    }  # fmt: skip
    (tmp_path / "event.json").write_text(json.dumps({"action": "opened", "number": 5, "repository": repo, "pull_request": pull}))
    (tmp_path / "policy.yml").write_text("metrics:\n  error_rate: {go: 90%, stop: 95%}\n")
    (tmp_path / "numbers.txt").write_text(BAD)
    for name, value in {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": tmp_path / "event.json", "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_RUN_ID": "7", "GITHUB_WORKSPACE": tmp_path, "GITHUB_TOKEN": "",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    code, out, said = cicd_agents("guardian", "check", "--metrics-table", "numbers.txt", "--canary-policy", "policy.yml")
    assert code == 1, out + said
    assert "The policy file was not read" in out


# On a real Prometheus


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    return Deployment(tmp_path, prometheus(request.config).url)


SUCCESS = """apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate}
spec:
  args:
    - name: namespace
  metrics:
    - name: success-rate
      interval: 1m
      count: 5
      failureLimit: 1
      successCondition: result[0] >= 0.98
      provider:
        prometheus:
          address: http://prometheus.example:9090
          query: |
            sum(rate(http_requests_total{namespace="{{args.namespace}}",pod=~"api-new.*",code!~"5.."}[5m]))
            / sum(rate(http_requests_total{namespace="{{args.namespace}}",pod=~"api-new.*"}[5m]))
"""


@pytest.mark.parametrize(("service", "code"), [(HEALTHY, 0), (BROKEN, 1), (EMPTY, 3)])
def test_an_analysis_template_is_measured_as_argo_rollouts_would(deployment: Deployment, service: str, code: int) -> None:
    (deployment.folder / "work").mkdir()
    (deployment.folder / "work/template.yml").write_text(SUCCESS)
    ran = guardian(deployment, "check", analysis_template="template.yml", template_args=f"namespace={service}", deployed_at="10m")
    assert ran.code == code, ran.out
    assert "Argo Rollouts" in ran.out
    assert 'namespace="' + service in ran.out


def test_a_template_without_its_argument_names_it(deployment: Deployment) -> None:
    (deployment.folder / "work").mkdir()
    (deployment.folder / "work/template.yml").write_text(SUCCESS)
    with pytest.raises(UsageError, match=r"template\.yml.*namespace"):
        guardian(deployment, "check", analysis_template="template.yml")


SLO = """spec_version: "1.0"
objectives:
  - sli: error_rate
    key_sli: true
    pass: [{criteria: ["<=1"]}]
    warning: [{criteria: ["<=2"]}]
total_score: {pass: 90%, warning: 75%}
"""
QUERY = 'error_rate=100*sum(rate(http_requests_total{code=~"5..",{matchers}}[10m]))/sum(rate(http_requests_total{selector}[10m]))'


@pytest.mark.parametrize(("service", "code"), [(HEALTHY, 0), (BROKEN, 1), (EMPTY, 3)])
def test_an_slo_file_is_judged_as_keptn_would(deployment: Deployment, service: str, code: int) -> None:
    (deployment.folder / "work").mkdir()
    (deployment.folder / "work/slo.yml").write_text(SLO)
    ran = guardian(
        deployment, "check", slo_file="slo.yml", queries=QUERY, metrics_selector=f'namespace="{service}"', canary_selector='pod=~"api-new-.*"'
    )  # fmt: skip
    assert ran.code == code, ran.out
    assert "Keptn" in ran.out


def test_kayentas_judge_says_which_judge_it_was(deployment: Deployment) -> None:
    common = {"canary_selector": 'pod=~"api-new-.*"', "baseline_selector": 'pod=~"api-old-.*"', "deployed_at": "20m", "judge": "kayenta"}
    ran = guardian(deployment, "check", metrics_selector=f'namespace="{BROKEN}"', **common)
    assert ran.code == 1, ran.out
    assert "Judged by kayenta" in ran.out
    assert guardian(deployment, "check", metrics_selector=f'namespace="{HEALTHY}"', **common).code == 0


# Past releases


def iso(seconds: float) -> str:
    """As people write it in YAML, which makes a date of it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def test_past_releases_of_a_file_are_replayed_with_their_rates(deployment: Deployment) -> None:
    sides = "canary: 'pod=~\"api-new-.*\"', baseline: 'pod=~\"api-old-.*\"'"
    lines = [
        f"- {{name: {name}, at: {iso(SINCE)}, minutes: 18, {sides}, common: 'namespace=\"{service}\"', good: {good}}}\n"
        for name, service, good in (("one", HEALTHY, "true"), ("two", BROKEN, "false"), ("three", EMPTY, "true"))
    ]
    path = deployment.folder / "releases.yml"
    path.write_text("".join(lines))
    ran = guardian(deployment, "backtest", releases=str(path))
    assert ran.code == 0, ran.out
    assert "Good releases that would have been rolled back: 0 of 1" in ran.out
    assert "Bad releases that would have been rolled back: 1 of 1" in ran.out
    assert "1 of 3 releases could not be seen" in ran.out
    assert re.search(r"rollback at minute \d+ +two", ran.out)


def test_the_memory_of_earlier_runs_is_replayed(deployment: Deployment) -> None:
    deployment.run(HEALTHY, history="memory.sqlite")
    deployment.run(BROKEN, history="memory.sqlite", service="broken-api")
    wanted = {"history": str(deployment.folder / "work/memory.sqlite"), "deploy_environment": "prod"}
    # On a person's machine there is no repository; the memory is asked for that of the job.
    ran = backtest_in_ci(deployment, **wanted)
    assert ran[0] == 0, ran[1]
    assert "Good releases that would have been rolled back: 0 of 1" in ran[1]
    bad = backtest_in_ci(deployment, **wanted, service="broken-api")
    assert "Bad releases that would have been rolled back: 1 of 1" in bad[1]


def backtest_in_ci(deployment: Deployment, **settings: str) -> tuple[int, str]:
    """`guardian backtest` as a step of a job."""
    import argparse
    from types import SimpleNamespace
    from typing import cast

    from cicd_agents.analysis.logs.bundled import bundled
    from cicd_agents.domain.redaction import Redactor
    from cicd_agents.wiring.guardian import guardian as command
    from cicd_agents.wiring.world import World

    given = {"prometheus_url": deployment.metrics, "service": "api", "allow_http": "127.0.0.1", **settings}
    variables = deployment._variables() | {f"CICD_AGENTS_{name.upper()}": value for name, value in given.items()}
    out: list[str] = []
    options = cast("argparse.Namespace", SimpleNamespace(what="backtest", format="text", reason=None, releases=None, config=None, output=None))
    world = World(variables, out.append, lambda _: None, Redactor(()), lambda _: bundled(), deployment.clock)
    return command(options, world), "".join(out)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "1 to 200 releases"),
        ("- {canary: 'a=\"b\"'}", "release 1: `at` is missing"),
        ("- {at: '2025-06-15T15:00:00Z'}", "release 1: `canary` is missing"),
        ("- {at: yesterday, canary: 'a=\"b\"'}", "release 1: `at` is 'yesterday'"),
        ("- {at: '2099-01-01T00:00:00Z', canary: 'a=\"b\"'}", "no time in the past"),
        ("- {at: '1749998800', canary: 'a=\"b\"', minutes: 0}", "`minutes` must be"),
        ("- {at: '1749998800', canary: 'a=\"b\"', good: maybe}", "`good` must be"),
        ("- {at: '1749998800', canary: 'a=\"b\"', speed: 1}", "'speed' is not known"),
        ("- {at: '1749998800', canary: [1]}", "`canary` must be a text"),
        ("a: b", "a list of mappings"),
    ],
)
def test_a_wrong_list_of_releases_names_file_and_release(deployment: Deployment, text: str, words: str) -> None:
    path = deployment.folder / "releases.yml"
    path.write_text(text)
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        guardian(deployment, "backtest", releases=str(path))
    assert "releases.yml" in str(refused.value)


def test_without_releases_and_memory_the_setting_is_named(deployment: Deployment) -> None:
    with pytest.raises(UsageError, match=r"--releases.*history"):
        guardian(deployment, "backtest")
    with pytest.raises(UsageError, match="holds no decision"):
        guardian(deployment, "backtest", history="memory.sqlite")
