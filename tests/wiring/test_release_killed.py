"""A release that is cut off anywhere and run again: one tag, one release, right notes, exit 0, in every case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.servers.github import GitHub
from tests.servers.http_server import Reply, Request
from tests.servers.repositories import Repository, write_hook
from tests.wiring.release_rig import Project, project

pytestmark = pytest.mark.slow
GONE = Reply(reset=True)
ALL = {"INPUT_RELEASE-ASSETS": "dist/*", "INPUT_RELEASE-COMMENTS": "true", "INPUT_RELEASE-LABELS": "released", "INPUT_KNOWN-PROBLEMS": "None yet.",
       "INPUT_DEPLOY-WORKFLOW": "deploy.yml"}  # fmt: skip
ROOT = Path(__file__).parent.parent.parent


def made(folder: Path, hub: GitHub) -> Project:
    folder.mkdir()
    app = project(folder, hub)
    app.commit("feat: list (#3)\n\nFixes #4")
    for number in (3, 4, 7):
        while len(hub.issues) < number:
            hub.add_issue("An issue")
    return app


def built(app: Project) -> Repository:
    """A job's clone with what it built."""
    work = app.checkout()
    work.write("dist/app.tgz", b"\x00\x01")
    return work


def is_whole(app: Project, hub: GitHub, where: object) -> None:
    """The one release is there, with all that belongs to it, once."""
    is_released(app, hub, where)
    told = [comment.number for comment in hub.comments.values()]
    assert sorted(told) == sorted(set(told)), where
    assert [issue.title for issue in hub.issues.values()].count("Known problems of v1.3.0") == 1, where
    assert len(hub.dispatches) == 1, where


def is_released(app: Project, hub: GitHub, where: object) -> None:
    """The one release is there with its files, and everybody was told of it."""
    assert [tag for tag in app.tags() if tag != "v1.2.0"] == ["v1.3.0"], where
    assert app.show("package.json", "v1.3.0").count("1.3.0") == 1, where
    assert app.tags()["v1.3.0"] == hub.branches["main"], where
    release = hub.release_of("v1.3.0")
    assert (release.draft, release.target) == (False, app.tags()["v1.3.0"]), where
    assert "sum up" in release.body
    assert "list" in release.body
    assert sorted((asset.name, asset.state) for asset in release.assets) == [("SHA256SUMS", "uploaded"), ("app.tgz", "uploaded")], where
    assert hub.made_tags == [], where
    assert {comment.number for comment in hub.comments.values()} >= {3, 4, 7}, where
    assert all("released" in hub.issues[number].labels for number in (3, 4, 7)), where
    assert "Known problems of v1.3.0" in [issue.title for issue in hub.issues.values()], where
    assert hub.dispatches, where


def calls_of_a_run(folder: Path) -> int:
    with GitHub() as hub:
        app = made(folder, hub)
        assert app.run(at=built(app), environment=ALL).code == 0
        is_whole(app, hub, "undisturbed")
        return len(hub.requests)


@pytest.mark.parametrize("effect", ["before it has an effect", "after it had its effect"])
def test_github_gone_from_any_call_on_and_a_second_run_finishes(tmp_path: Path, effect: str) -> None:
    calls = calls_of_a_run(tmp_path / "whole")
    assert calls > 20
    for index in range(calls):
        with GitHub() as hub:
            app = made(tmp_path / str(index), hub)
            work = built(app)
            if effect.startswith("after"):
                hub.lost[index] = GONE
            gone = range(index + effect.startswith("after"), calls + 100)
            hub.faults.update(dict.fromkeys(gone, GONE))
            first = app.run(at=work, environment=ALL)
            assert first.code in (0, 2, 3), (index, first.out)
            assert len(hub.releases) <= 1, index
            hub.faults.clear()
            hub.lost.clear()
            second = app.run(at=built(app), environment=ALL)
            assert second.code == 0, (index, second.out)
            is_whole(app, hub, index)


def test_one_lost_answer_at_any_call_is_mended_by_the_run_itself_or_the_next(tmp_path: Path) -> None:
    calls = calls_of_a_run(tmp_path / "whole")
    for index in range(calls):
        with GitHub() as hub:
            app = made(tmp_path / str(index), hub)
            hub.lost[index] = Reply(502, b"bad gateway", {"content-type": "text/plain"})
            if app.run(at=built(app), environment=ALL).code != 0:
                hub.lost.clear()
                assert app.run(at=built(app), environment=ALL).code == 0, index
            is_whole(app, hub, index)


def started(app: Project, work: Repository, environment: Mapping[str, str], pid: Path) -> subprocess.Popen[bytes]:
    """The same job as a process of its own, which can be killed; the file has its id before it does anything."""
    variables = {**app.variables(work), **environment, "PYTHONPATH": str(ROOT / "src")}
    # Not by a shell: it would drop the variables whose names have a hyphen.
    begin = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
    command = [sys.executable, "-c", begin, str(pid), "-m", "cicd_agents", "run"]
    return subprocess.Popen(command, env=variables, cwd=work.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_killed_before_or_after_the_push_has_its_effect(tmp_path: Path, hook: str) -> None:
    with GitHub() as hub:
        app = made(tmp_path / "app", hub)
        work = built(app)
        write_hook(app.remote / "hooks" / hook, f'kill -9 $(cat "{tmp_path}/pid")')
        process = started(app, work, ALL, tmp_path / "pid")
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        (app.remote / "hooks" / hook).unlink()
        assert hub.releases == []
        again = app.run(at=built(app), environment=ALL)
        assert again.code == 0, again.out
        is_whole(app, hub, hook)


@pytest.mark.parametrize("path", ["/releases", "/assets", "/comments", "/dispatches"])
def test_killed_while_github_answers_a_write(tmp_path: Path, path: str) -> None:
    with GitHub() as hub:
        app = made(tmp_path / "app", hub)
        work = built(app)
        answer = hub.server.handler

        def deadly(request: Request) -> Reply:
            reply = answer(request)
            if request.method == "POST" and request.path.endswith(path):
                os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
            return reply

        hub.server.handler = deadly
        process = started(app, work, ALL, tmp_path / "pid")
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        hub.server.handler = answer
        again = app.run(at=built(app), environment=ALL)
        assert again.code == 0, again.out
        is_whole(app, hub, path)


def test_two_runs_at_once_cut_one_release(tmp_path: Path) -> None:
    with GitHub() as hub:
        app = made(tmp_path / "app", hub)
        jobs = [built(app), built(app)]
        start = threading.Barrier(len(jobs))
        codes: list[int] = []

        def go(work: Repository) -> None:
            start.wait()
            codes.append(app.run(at=work, environment=ALL).code)

        threads = [threading.Thread(target=go, args=(work,)) for work in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if codes != [0, 0]:  # one may have met what the other had not finished yet; it says so, and a further run is green
            assert set(codes) <= {0, 3}
            assert app.run(at=built(app), environment=ALL).code == 0
        # What tells of it has no lock at a forge: two runs that look at the same moment both tell.
        is_released(app, hub, codes)
