"""Hostile text from everywhere that the guardian reads, seen from the outside: what was printed, written and sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.agents.guardian_metrics_data import KINDS, Text, add
from tests.report.guardian_checks import HOSTILE, UNSEEN, Page, commands, live
from tests.servers.argocd import App, ArgoCDServer
from tests.servers.github import PERSON, GitHub
from tests.servers.grafana import TOKEN as GRAFANA_TOKEN
from tests.servers.grafana import GrafanaServer
from tests.servers.prometheus import Prometheus, shared
from tests.servers.slack import SlackServer
from tests.wiring.guardian_people_rig import OnGitHub, incidents, merged
from tests.wiring.guardian_rig import BROKEN, GOOD, by_argocd, deployed
from tests.wiring.rig import Ran

from cicd_agents import cli

# On one line: settings, images and labels have no others.
LINE = " ".join(HOSTILE.split()).replace("\x1b", "").replace("\x07", "")
NAMES = {
    "outcome", "exit-code", "agent", "title", "decision", "status", "stage", "share", "next-stage", "risk-score", "rolled-back", "report-path", "json-path",
    "html-path", "comment-url", "issue-url",
}  # fmt: skip


@pytest.fixture
def metrics(request: pytest.FixtureRequest) -> Prometheus:
    """A broken deployment whose pods have hostile names."""
    text = Text()
    add(text, KINDS["http"], BROKEN, broken=True)
    every = [labels for counters in text.counters.values() for labels, _ in counters]
    every += [labels for histograms in text.histograms.values() for labels, _ in histograms]
    for labels in every:
        labels["pod"] += f" {HOSTILE}"
        labels["handler"] = HOSTILE
    return shared(request.config, text.openmetrics())


@pytest.fixture
def app(argocd: ArgoCDServer) -> App:
    """The good version cannot be applied, and Argo CD says so in hostile words."""
    app = deployed(argocd)
    argocd.failing.add(GOOD)

    def shout(said: App) -> None:
        said.status["summary"] = {"images": [f"shop/api:2{LINE}"]}
        said.status["health"]["message"] = HOSTILE
        state = said.status.get("operationState", {})
        if state.get("phase") == "Failed":
            state["message"] = HOSTILE

    argocd.after = shout
    shout(app)
    return app


@pytest.fixture
def ran(tmp_path: Path, metrics: Prometheus, argocd: ArgoCDServer, app: App, hub: GitHub) -> Iterator[tuple[Ran, GitHub, list[Any], list[Any]]]:
    """One run with all of it: a rollback that fails, with a comment, an incident, Slack, a mark, a memory, a state and an audit log."""
    deployment = OnGitHub(tmp_path, metrics.url, hub, environment=by_argocd(argocd))
    argocd.now = deployment.clock.now
    merged(hub)
    grafana = GrafanaServer(metrics.url)
    with SlackServer() as slack, grafana:
        wanted = {
            "service": LINE, "deploy_environment": LINE, "canary_selector": f'pod=~"(?s)api-new-.*",team!="{escaped(LINE)}"',
            "baseline_selector": 'pod=~"(?s)api-old-.*"', "slack_webhook": slack.webhook_url, "grafana_url": grafana.url, "grafana_token": GRAFANA_TOKEN,
            "grafana_annotate": "true", "grafana_dashboard": "board", "history": "memory.sqlite", "guardian_state": "state.json", "watch": "1",
            "issue_labels": "incident", "rollback": "auto",
        }  # fmt: skip
        deployment.run(BROKEN, **{**wanted, "rollback": "suggest"})
        argocd.images[GOOD] = [f"shop/api:1{LINE}"]
        deployment.number = 78
        deployment.sha = "d" * 40
        second = deployment.run(BROKEN, **wanted)
        yield second, hub, slack.messages, grafana.annotations


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def test_hostile_text_is_obeyed_by_nobody(ran: tuple[Ran, GitHub, list[Any], list[Any]], capsys: pytest.CaptureFixture[str]) -> None:
    run, hub, messages, marks = ran
    assert run.code == 1, run.out
    work = run.folder / "work"
    # The runner: one annotation, which is ours.
    assert [line.split(" ", 1)[0] for line in commands(run.out)] == ["::error"]
    for said in run.said:
        cli._say(said)
    assert commands(capsys.readouterr().err) == []
    assert set(run.outputs) == NAMES
    assert (run.outputs["decision"], run.outputs["rolled-back"]) == ("rollback", "false")
    # People: the comment, the incident, the summary.
    [incident] = incidents(hub)
    assert UNSEEN.findall(incident.title) == []
    comments = [comment.body for comment in hub.comments.values()]
    assert comments
    for text in (*comments, incident.body, run.summary, (work / "cicd-agents-report/report.md").read_text()):
        ours = re.sub(r"<!-- cicd-agents[^>]*-->\n?", "", text)
        assert live(ours) == []
        assert uneven_tables(ours) == []
    page = Page((work / "cicd-agents-report/report.html").read_text())
    assert page.wrong == []
    assert {"script", "img", "iframe", "object", "link", "form"} & {tag for tag, _ in page.elements} == set()
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [attributes["href"] for attributes in page.of("a") if "evil" in attributes.get("href", "")]
    # Slack: neither a mention nor a link of theirs.
    for message in messages:
        for text in texts(message):
            assert not re.search(r"<(?!https?://127\.0\.0\.1)", text), text
    # What programs read.
    assert json.loads((work / "cicd-agents-report/report.json").read_text())["details"]["service"]
    assert all(json.loads(line)["phase"] for line in (work / "cicd-agents-report/audit.jsonl").read_text().splitlines())
    assert json.loads((work / "state.json").read_text())["ended"] == "rollback"
    [mark, *_] = marks
    assert len(mark["text"].splitlines()) == 1


def test_hostile_text_of_an_approval_is_shown_and_approves_nothing(tmp_path: Path, metrics: Prometheus, argocd: ArgoCDServer, app: App, hub: GitHub) -> None:
    deployment = OnGitHub(tmp_path, metrics.url, hub, environment=by_argocd(argocd))
    argocd.now = deployment.clock.now
    wanted = {"service": f"{LINE} /approve 0123456789abcdef", "rollback": "auto", "approval_required": "*", "approvers": f"id:{PERSON.id}"}
    ran = deployment.run(BROKEN, baseline_selector='pod=~"(?s)api-old-.*"', canary_selector='pod=~"(?s)api-new-.*"', **wanted)
    assert ran.code == 1, ran.out
    [issue] = [issue for issue in hub.issues.values() if "cicd-agents-approval" in issue.labels]
    prose = re.sub(r"<!-- cicd-agents[^>]*-->\n?", "", issue.body)
    assert live(prose) == []
    assert re.findall(r"^/approve .*", re.sub(r"```\n.*?```", "", issue.body, flags=re.DOTALL), re.MULTILINE) == []
    assert argocd.rollbacks == []
    assert [line.split(" ", 1)[0] for line in commands(ran.out)] == ["::error"]


def texts(value: Any) -> Iterator[str]:
    """All texts of a message that Slack reads as markup."""
    if isinstance(value, dict):
        if value.get("type") == "plain_text":
            return
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def uneven_tables(markdown: str) -> list[str]:
    """Rows that have another number of cells than the heading of their table."""
    found, cells = [], 0
    for line in re.sub(r"^(`{3,}).*?^\1", "", markdown, flags=re.DOTALL | re.MULTILINE).splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        count = len(re.findall(r"(?<!\\)\|", line))
        if cells and count != cells:
            found.append(line)
        cells = cells or count
    return found
