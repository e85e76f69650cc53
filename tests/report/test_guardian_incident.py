"""The incident of a rollback that failed: a person who is woken by it sees first what to do, then what happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.report.guardian_checks import HOSTILE, commands, live, outline
from tests.report.guardian_samples import BLIND, DASHBOARD, FULL, HOST, OPERATIONS, of_text

from cicd_agents.domain.operation import OperationStatus
from cicd_agents.report.guardian_incident import to_incident

FIRST, SECOND, THIRD = OPERATIONS
BROKEN = replace(SECOND, status=OperationStatus.FAILED, result="Argo CD refused: permission denied")
FAILED = replace(FULL, operations=(FIRST, BROKEN, replace(THIRD, status=OperationStatus.PLANNED)))


def test_a_failed_rollback_tells_what_to_do_what_failed_and_why_it_must_go_back() -> None:
    title, body = to_incident(FAILED, (HOST,))
    assert title == "Rollback of api in production failed"
    assert live(body, (DASHBOARD,)) == []
    assert (
        body
        == """\
**`api` in `production` must go back to the old version, and that failed. A person must act now: the new one may still serve.**

### By hand

```sh
argocd app rollback api 41 --project shop
```

### What failed

- **Rollback** `argocd:api`: failed. The error rate is 52 times that of 1.4.1. Argo CD refused: permission denied.

### What was done before

- **PauseAutoSync** `argocd:api`: done. A rollback is refused while it is on. To undo: Switch auto-sync on again.

### What was not reached

- **OpenRevertRequest** `git.example/shop/deploy`: planned, not done. Git still names 1.4.2. To undo: Close it.

### What was judged

Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it. A rollback is safe: no migration ran.

- Deployment: api
- Environment: production
- Version: canary 1.4.2 against baseline 1.4.1
- Strategy: canary
- Stage: stage 2 of 4, 25 % of the traffic
- Duration: 21 min (the stage takes 10 min)
- Risk: score 0.92 (0 to 1)

### Evidence

- Error rate 5.2 % (baseline 0.1 %, limit ≤ 0.2 %, +5.1 points, 52 ×)
- Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it
- Connections spike: 2500 (dry run: not counted)
- A new exception: NullPointerException
- `oom_kills`: the canary was killed for want of memory 2 times

### Queries

- `sum(rate(http_requests_total{code=~"5.."}[1m]))`

### Timeline

- 2026-01-02 10:00:00 UTC: The canary began with 5 %.
- 2026-01-02 10:05:00 UTC: Stage 2: 25 %.
- 2026-01-02 10:21:00 UTC: Errors: rolled back.

See also: [Dashboard](https://grafana.example/d/api)

<sub>Opened by Deployment-guardian. Close it when the old version serves again.</sub>
"""
    )


def test_without_commands_the_way_is_still_named() -> None:
    body = to_incident(replace(BLIND, operations=(BROKEN,)))[1]
    assert "### By hand\n\nNo commands are known: use the delivery tool to go back to the version before.\n" in body


@pytest.mark.parametrize("text", [HOSTILE, "\n```\n</details>", "````\n`````\n", "@team", "#1", "x" * 50_000])
def test_hostile_text_brings_nothing_to_life(text: str) -> None:
    title, body = to_incident(of_text(text))
    assert live(body) == []
    assert commands(body) == []
    assert outline(body) == outline(to_incident(of_text("x"))[1])
    assert "\n" not in title
    assert len(title) <= 200
    assert len(body.encode()) <= 60_000


def test_a_body_that_is_too_long_keeps_what_to_do() -> None:
    body = to_incident(FAILED, (HOST,), 1500)[1]
    assert len(body.encode()) <= 1500
    assert "argocd app rollback api 41 --project shop" in body
    assert "### What failed" in body
    assert "queries" in body.partition("> Left out because the text would be too long here: ")[2]
