"""A run that the CI stops: it says so, ends as interrupted, and the next one goes on from a whole state."""

from __future__ import annotations

import json
import signal
import threading

import pytest
from tests.servers.argocd import App, ArgoCDServer
from tests.servers.clock import FakeClock
from tests.wiring.guardian_rig import BROKEN, EMPTY, Deployment

from cicd_agents.wiring.guardian_stopping import told_to_stop

STATE = ".cicd-agents/state.json"


class Cancelled(FakeClock):
    """A clock at whose first pauses the job is cancelled."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if len(self.slept) == self._at:
            signal.raise_signal(signal.SIGTERM)


def test_a_job_that_is_cancelled_says_what_is_kept() -> None:
    said: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    for state in ("", STATE):
        with pytest.raises(KeyboardInterrupt), told_to_stop(said.append, state):
            signal.raise_signal(signal.SIGTERM)
    assert "told to stop before its end; without guardian-state the next run begins anew" in said[0]
    assert f"the next run goes on by {STATE}" in said[1]
    assert signal.getsignal(signal.SIGTERM) == before


def test_in_a_thread_it_is_left_to_the_process() -> None:
    seen: list[object] = []

    def work() -> None:
        with told_to_stop(seen.append, STATE):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.parametrize("at", [1, 2])
def test_a_watch_that_is_cancelled_is_taken_up_by_the_next_job(deployment: Deployment, app: App, at: int) -> None:
    deployment.clock = Cancelled(at)
    with pytest.raises(KeyboardInterrupt):
        deployment.run(EMPTY, watch="10", guardian_state=STATE)
    state = json.loads((deployment.folder / "work" / STATE).read_text())
    assert (state["ended"], len(state["timeline"])) == ("", 1)
    ran = deployment.run(EMPTY, watch="1", guardian_state=STATE)
    assert ran.code == 3
    assert "The watch is taken up again." in ran.out


@pytest.mark.parametrize("at", [1, 3])
def test_a_rollback_that_is_cancelled_while_it_is_verified_is_brought_to_its_end(deployment: Deployment, argocd: ArgoCDServer, app: App, at: int) -> None:
    deployment.clock = Cancelled(at)
    argocd.now = deployment.clock.now
    with pytest.raises(KeyboardInterrupt):
        deployment.run(BROKEN, rollback="auto", watch="5", guardian_state=STATE)
    ran = deployment.run(BROKEN, rollback="auto", watch="5", guardian_state=STATE)
    assert ran.code == 1
    assert len(argocd.rollbacks) == 1
    assert ran.outputs["rolled-back"] == "true"
