"""Addresses on both forges."""

from __future__ import annotations

import pytest
from tests.analysis.changelog.samples import GITHUB, GITLAB

from cicd_agents.analysis.changelog.forge import Forge, ForgeKind

BELOW_A_PATH = Forge(ForgeKind.GITLAB, "http://host.example:8080/git/g/app", "http://host.example:8080/git")


@pytest.mark.parametrize(
    ("forge", "target", "url"),
    [
        (GITHUB, "#12", "https://github.com/acme/app/issues/12"),
        (GITHUB, "GH-12", "https://github.com/acme/app/issues/12"),
        (GITHUB, "o/r.js#12", "https://github.com/o/r.js/issues/12"),
        (GITHUB, "!12", ""),
        (GITHUB, "g/s/app#1", ""),
        (GITHUB, "../x#1", ""),
        (GITHUB, "#12345678901", ""),
        (GITHUB, "#x", ""),
        (GITHUB, "x#1", ""),
        (GITLAB, "#3", "https://gitlab.com/acme/sub/app/-/issues/3"),
        (GITLAB, "!3", "https://gitlab.com/acme/sub/app/-/merge_requests/3"),
        (GITLAB, "group/app!3", "https://gitlab.com/group/app/-/merge_requests/3"),
        (GITLAB, "a/b/c#3", "https://gitlab.com/a/b/c/-/issues/3"),
        (GITLAB, "GH-3", ""),
        (BELOW_A_PATH, "a/b#3", "http://host.example:8080/git/a/b/-/issues/3"),
    ],
)
def test_references(forge: Forge, target: str, url: str) -> None:
    assert forge.reference(target) == url


def test_a_pull_request_is_known_as_one_on_github_only() -> None:
    assert GITHUB.reference("#4", request=True) == "https://github.com/acme/app/pull/4"
    assert GITLAB.reference("#4", request=True) == "https://gitlab.com/acme/sub/app/-/issues/4"


def test_tags_are_encoded() -> None:
    assert GITHUB.compare("core/v1.0.0", "@a/b@1.0.0+x (y)") == "https://github.com/acme/app/compare/core/v1.0.0...@a/b@1.0.0%2Bx%20%28y%29"
    assert GITLAB.release("vé") == "https://gitlab.com/acme/sub/app/-/releases/v%C3%A9"
    assert GITHUB.release("v1") == "https://github.com/acme/app/releases/tag/v1"


@pytest.mark.parametrize("url", ["https://u:p@h/x", "javascript:x", "https://h/x)y", "https://h/x y", "github.com/o/r", "https://h/x\n", "https://h/<b>"])
def test_an_address_that_could_break_a_link_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a repository"):
        Forge(ForgeKind.GITHUB, url)
