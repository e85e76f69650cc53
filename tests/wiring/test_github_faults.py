"""Whatever GitHub answers wrongly, and at whichever call: the verdict is told, the files are there, and the next run finishes the work."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.servers.github import GitHub
from tests.servers.http_server import Reply, json_reply
from tests.wiring.rig import DNS_LOG, Rig
from tests.wiring.test_github_run import Scene, made

from cicd_agents.clients.http import Timeouts

pytestmark = pytest.mark.slow
WANTED = {"INPUT_HISTORY": "memory.sqlite", "INPUT_RERUN": "suggest", "INPUT_ISSUE": "always"}
FAULTS: Mapping[str, Reply] = {
    "timeout": Reply(hang=True),
    "reset": Reply(reset=True),
    "401": json_reply({"message": "Bad credentials"}, 401),
    "403": json_reply({"message": "Resource not accessible by integration"}, 403),
    "404": json_reply({"message": "Not Found"}, 404),
    "429 with headers": json_reply({"message": "slow down"}, 429, {"retry-after": "7"}),
    "429 without": json_reply({"message": "slow down"}, 429),
    "500": Reply(500, b"oops"),
    "502": Reply(502, b"<html>bad gateway</html>", {"content-type": "text/html"}),
    "cut JSON": Reply(200, b'{"id": 1, "jobs": [' + b" " * 500, {"content-type": "application/json"}, cut=20),
    "wrong JSON": json_reply({"unexpected": ["shape"]}),
    "no JSON": Reply(200, b"<html>proxy</html>", {"content-type": "text/html"}),
}
# After these a second run is made whatever the call was; after the others, where it was a write.
MENDED_ANYWHERE = ("reset", "wrong JSON")


def calls_of_a_run(folder: Path) -> int:
    with GitHub() as hub:
        made(hub, folder, DNS_LOG).rig().run(environment=WANTED)
        return len(hub.requests)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_answer_at_any_call_leaves_verdict_files_and_a_state_that_the_next_run_mends(tmp_path: Path, fault: str) -> None:
    (tmp_path / "first").mkdir()
    calls = calls_of_a_run(tmp_path / "first")
    assert calls > 10
    for index in range(calls):
        folder = tmp_path / str(index)
        folder.mkdir()
        with GitHub() as hub:
            scene = made(hub, folder, DNS_LOG)
            hub.faults[index] = FAULTS[fault]
            rig = scene.rig()
            if FAULTS[fault].hang:
                rig.timeouts = Timeouts(read=0.5)  # so long the test waits for each call
            ran = rig.run(environment=WANTED)
            assert ran.code in (0, 3), (fault, index)
            assert ran.out.splitlines()[0].split()[0] in ("FAIL", "UNSURE", "SKIPPED", "INCONCLUSIVE"), (fault, index, ran.out)
            assert ran.report["outcome"] in ("fail", "inconclusive"), (fault, index)
            assert ran.outputs["outcome"] == ran.report["outcome"]
            assert "ghs_" not in ran.out + "".join(ran.said)
            hub.faults.clear()
            if fault not in MENDED_ANYWHERE and hub.requests[index].method == "GET":
                continue  # a read that failed has left nothing behind; the two above show it for all calls
            again = scene.rig().run(environment=WANTED)
            assert (again.code, again.report["outcome"]) == (0, "fail"), (fault, index)
            [comment] = scene.comments
            assert again.report["title"].split()[0] in comment, (fault, index)


def test_two_runs_at_once_leave_one_comment(tmp_path: Path) -> None:
    with GitHub() as hub:
        scenes = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        first = made(hub, tmp_path / "one", DNS_LOG)
        scenes = [first, Scene(hub, first.run, first.pull, tmp_path / "two")]
        rigs: list[Rig] = [scene.rig() for scene in scenes]
        start = threading.Barrier(len(rigs))
        codes: list[int] = []

        def go(rig: Rig) -> None:
            start.wait()
            codes.append(rig.run().code)

        threads = [threading.Thread(target=go, args=(rig,)) for rig in rigs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == [0, 0]
        assert len(first.comments) == 1


def test_every_call_is_in_time_even_where_github_is_silent(tmp_path: Path) -> None:
    """With all calls unanswered the run ends inside its budget of the tests' clock, with a verdict."""
    with GitHub() as hub:
        scene = made(hub, tmp_path, DNS_LOG)
        hub.faults.update({index: Reply(reset=True) for index in range(200)})
        ran = scene.rig().run(environment={"INPUT_TIME-LIMIT": "60"})
        assert ran.code == 3
        assert ran.report["outcome"] == "inconclusive"
        assert json.loads((tmp_path / "work/cicd-agents-report/report.json").read_text())["title"] == "The run could not be read"
