"""Remote URLs in every form that git takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.clients.git_remotes import Forge, parse_remote


@pytest.mark.parametrize(("url", "forge", "host", "path", "page"), [
    ("https://github.com/org/app.git", Forge.GITHUB, "github.com", "org/app", "https://github.com/org/app"),
    ("https://github.com/org/app", Forge.GITHUB, "github.com", "org/app", "https://github.com/org/app"),
    ("https://github.com/org/app.js/", Forge.GITHUB, "github.com", "org/app.js", "https://github.com/org/app.js"),
    ("git@github.com:org/app.git", Forge.GITHUB, "github.com", "org/app", "https://github.com/org/app"),
    ("github.com:org/app", Forge.GITHUB, "github.com", "org/app", "https://github.com/org/app"),
    ("ssh://git@ssh.github.com:443/org/app.git", Forge.GITHUB, "ssh.github.com", "org/app", "https://github.com/org/app"),
    ("git://github.com/org/app.git", Forge.GITHUB, "github.com", "org/app", "https://github.com/org/app"),
    ("git+ssh://git@GitHub.com/Org/App.git", Forge.GITHUB, "github.com", "Org/App", "https://github.com/Org/App"),
    ("https://gitlab.com/group/sub/deep/app.git", Forge.GITLAB, "gitlab.com", "group/sub/deep/app", "https://gitlab.com/group/sub/deep/app"),
    ("ssh://git@gitlab.example.com:2222/group/app.git", Forge.GITLAB, "gitlab.example.com", "group/app", "https://gitlab.example.com/group/app"),
    ("https://git-lab.example.com:8443/app.git", Forge.UNKNOWN, "git-lab.example.com", "app", "https://git-lab.example.com:8443/app"),
    ("http://my-gitlab.local:8080/group/app", Forge.GITLAB, "my-gitlab.local", "group/app", "http://my-gitlab.local:8080/group/app"),
    ("https://notgithub.com/org/app", Forge.UNKNOWN, "notgithub.com", "org/app", "https://notgithub.com/org/app"),
    ("git@[2001:db8::1]:org/app.git", Forge.UNKNOWN, "[2001:db8::1]", "org/app", "https://[2001:db8::1]/org/app"),
    ("https://github.com/org/app.git?x=1#y", Forge.GITHUB, "github.com", "org/app", "https://github.com/org/app"),
])  # fmt: skip
def test_forge_owner_and_name_are_read_from_every_form(url: str, forge: Forge, host: str, path: str, page: str) -> None:
    remote = parse_remote(url)
    assert remote is not None
    assert (remote.forge, remote.host, remote.path, remote.url) == (forge, host, path, page)


@pytest.mark.parametrize("url", [
    "https://user:s3cret@github.com/org/app.git", "https://s3cret@github.com/org/app", "https://gitlab-ci-token:s3cret@github.com/org/app.git",
    "https://us@er:s3cret@github.com/org/app.git", "ssh://git:s3cret@github.com/org/app", "s3cret@github.com:org/app.git",
    "https://github.com/org/app.git?private_token=s3cret",
])  # fmt: skip
def test_credentials_are_dropped(url: str) -> None:
    remote = parse_remote(url)
    assert remote is not None
    assert "s3cret" not in repr(remote)
    assert remote.path == "org/app"


@pytest.mark.parametrize("url", [
    "", "/srv/git/app.git", "../app", "file:///srv/app.git", "C:/work/app", "C:\\work\\app", "ext::sh -c x", "https://", "https://github.com/",
    "https://github.com/../app", "git@github.com:", "https://github.com/org/a\napp", "./github.com:org/app", "x" * 3000 + ":a/b",
])  # fmt: skip
def test_folders_and_what_is_no_url_are_no_remote_of_a_forge(url: str) -> None:
    assert parse_remote(url) is None


@given(st.text("htps:/@[].gitlub%#?~-\\ab1", max_size=60))
def test_no_text_breaks_the_reading(url: str) -> None:
    remote = parse_remote(url)
    assert remote is None or (remote.name and "@" not in remote.host)
