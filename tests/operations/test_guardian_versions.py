"""What somebody names is, or is not, what a tool shows; what cannot be compared is neither."""

from __future__ import annotations

import pytest

from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.operations.guardian_versions import chosen, matches, not_judged, same, whole_commits

SHA, OTHER = "1f2e3d4c" * 5, "9a8b7c6d" * 5
DIGEST, DIGEST2 = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("text", "version", "answer"),
    [
        ("registry/api:1.2", "registry/api:1.2", True),
        ("registry/api:1.2", "registry/api:1.3", False),
        ("registry/api:1.2", "registry/web:1.2", False),
        ("api:1.2", "registry.example:5000/team/api:1.2", True),
        ("pi:1.2", "registry/api:1.2", False),
        ("registry/api:1.2", f"registry/api:1.2@{DIGEST}", True),
        (f"registry/api@{DIGEST}", f"registry/api:1.2@{DIGEST}", True),
        (f"registry/api:1.2@{DIGEST2}", f"registry/api:1.2@{DIGEST}", False),
        (DIGEST, f"registry/api:1.2@{DIGEST}", True),
        (DIGEST, "registry/api:1.2", None),
        (f"api@{DIGEST}", "registry/api:1.2", None),
        ("1.2", "registry/api:1.2 registry/sidecar:9", True),
        ("v1.2", "registry/api:1.2", True),
        ("1.3", "registry/api:1.2", False),
        ("registry/api:1.2 registry/sidecar:9", "registry/sidecar:9, registry/api:1.2", True),
        ("registry/api:1.2 registry/sidecar:8", "registry/sidecar:9, registry/api:1.2", False),
        (SHA, SHA, True),
        (SHA[:8], f"{SHA} history=3", True),
        (SHA, f"main@sha1:{SHA}", True),
        (f"main@sha1:{SHA}", SHA, True),
        (f"main@sha1:{OTHER}", SHA, False),
        (OTHER, f"{SHA} registry/api:1.2", False),
        (SHA, "registry/api:1.2", None),
        (SHA[:6], SHA, None),
        ("v1.2-1f2e3d4c", f"registry/api:v1.2-1f2e3d4c {SHA}", True),
        (f"{SHA} history=3", f"{SHA} history=5 registry/api:1.2", True),
        ("5", f"{SHA} history=5 registry/api:4", False),
        ("history=5", f"{SHA} history=5", None),
        # Two ReplicaSets of one image differ in their settings; the hash of those is no commit.
        ("api:1 (template=7d9f)", "api:1 (template=7d9f)", True),
        ("api:1 (template=7d9f)", "api:1 (template=5c4b)", False),
        ("api:1 (template=7d9f)", f"{SHA} api:1", True),
        (SHA, "api:1 (template=deadbeef)", None),
        ("release-7", "release-7", True),
        ("release-7", SHA, None),
        ("x" * 9000, SHA, None),
    ],
)
def test_images_commits_and_tags_are_compared_with_their_kind(text: str, version: str, answer: bool | None) -> None:
    assert matches(text, KnownRevision("", version)) is answer


def test_of_several_judged_versions_one_that_is_wrong_is_enough() -> None:
    current = KnownRevision("7d9", f"{SHA} registry/api:1.2")
    assert not_judged(("registry/api:1.2", SHA), current) == ""
    assert not_judged((DIGEST, "registry/api:1.2"), current) == ""
    assert "another version was deployed" in not_judged(("registry/api:1.2", OTHER), current)
    assert "It cannot be seen" in not_judged((DIGEST,), current)
    assert "not known which version was judged" in not_judged((" ",), current)
    assert "does not tell which version runs" in not_judged((SHA,), None)


def test_a_revision_is_the_same_by_its_name_and_by_its_version_only_where_the_name_is_gone() -> None:
    one, other = KnownRevision("api-5", "registry/api:1.1"), KnownRevision("api-6", "registry/api:1.1")
    assert same(one, KnownRevision("api-5", ""))
    assert same(one, other, (other,))
    assert not same(one, other, (one, other))  # two ReplicaSets with one image differ in something else
    assert not same(one, KnownRevision("api-6", "registry/api:1.2"))
    assert not same(KnownRevision("", ""), KnownRevision("", ""))


def test_a_wish_is_found_by_the_tools_own_name_before_a_version() -> None:
    first, second = KnownRevision("4", "registry/api:3"), KnownRevision("3", "registry/api:2")
    standing = DeliveryStanding("x:y", KnownRevision("5", "registry/api:4"), earlier=(first, second))
    assert chosen("3", standing) == (second,)
    assert chosen("registry/api:3", standing) == (first,)
    assert chosen("9", standing) == ()
    numbered = DeliveryStanding("x:y", None, earlier=(KnownRevision("a", f"{SHA} history=3"), KnownRevision("b", f"{OTHER} history=2 api:3")))
    assert [one.id for one in chosen("3", numbered)] == ["a"]
    assert [one.id for one in chosen("history=2", numbered)] == ["b"]


def test_whole_commits_are_read_from_the_tools_name() -> None:
    assert whole_commits(KnownRevision(f"{SHA}+{OTHER}/1a2b3c4d", "")) == (SHA, OTHER)
    assert whole_commits(KnownRevision(f"main@sha1:{SHA}", "")) == (SHA,)
    assert whole_commits(KnownRevision(DIGEST, "")) == ()
