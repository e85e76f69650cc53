"""Environments are read from the settings, and the operations and checkpoints that follow from them say what is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.approval import plan_hash
from cicd_agents.operations.promotion import Environment, PromotedRelease, Standing, Way, environments, is_later, promotions, steps
from cicd_agents.operations.promotion_checkpoints import Checkpoint, Progress, ReleaseFacts, checkpoints
from cicd_agents.operations.transaction import in_order

RELEASE = PromotedRelease("org/shop", "v1.2.0", "1.2.0", 0)
DEV = Environment("dev", Way.ARGOCD, "shop-dev")
STAGING = Environment("staging", Way.WORKFLOW, "deploy.yml")
PROD = Environment("prod", Way.GIT, "deploy/prod/kustomization.yaml", "ops/shop-prod", check=True)


def test_environments_are_read_in_their_order() -> None:
    entries = ("dev=argocd:shop-dev", " staging=workflow:deploy.yml", "prod=git:deploy/prod/kustomization.yaml+argocd:ops/shop-prod")
    assert environments(entries) == (DEV, STAGING, replace(PROD, check=False))


def test_a_check_and_a_limit_hold_for_all_environments() -> None:
    assert environments(("eu-1.prod=argocd:team/shop#2",), check=True, health_seconds=30) == (
        Environment("eu-1.prod", Way.ARGOCD, "team/shop#2", check=True, health_seconds=30),
    )


def test_a_chart_is_promoted_by_its_version() -> None:
    (chart,) = environments(("dev=argocd:shop@version",))
    assert (chart.target, RELEASE.revision(chart), RELEASE.revision(DEV), RELEASE.revision(PROD)) == ("shop", "1.2.0", "v1.2.0", "1.2.0")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (("dev",), "'dev' must be NAME=argocd:APPLICATION, NAME=workflow:FILE or NAME=git:PATH"),
        (("dev=argocd:",), "must be NAME=argocd"),
        (("dev=flux:shop",), "must be NAME=argocd"),
        (("=argocd:shop",), "is no name of an environment"),
        (("de v=argocd:shop",), "'de v' is no name of an environment"),
        (("dev=argocd:Shop",), "dev: 'Shop' is no Argo CD application"),
        (("dev=argocd:../../secrets",), "is no Argo CD application"),
        (("dev=workflow:../deploy.yml",), "is no workflow file"),
        (("dev=workflow:a b",), "is no workflow file"),
        (("dev=git:/etc/passwd",), "is no path inside the repository"),
        (("dev=git:a/../b",), "is no path inside the repository"),
        (("dev=git:.git/config",), "is no path inside the repository"),
        (("dev=git:a//b",), "is no path inside the repository"),
        (("dev=git:a\\b",), "is no path inside the repository"),
        (("dev=git:a.yaml+argocd:",), "dev: '' is no Argo CD application"),
        (("dev=argocd:a", "Dev=argocd:b"), "Dev is there twice"),
        (("dev=argocd:a", "prod=argocd:a"), "dev and prod have the same target, a"),
        (tuple(f"e{number}=argocd:a{number}" for number in range(21)), "21 environments are more than the 20"),
    ],
)
def test_what_cannot_be_an_environment_is_said_in_one_sentence_that_names_the_setting(entries: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        environments(entries)
    assert str(caught.value).startswith("environments: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_environments_may_share_a_workflow() -> None:
    assert len(environments(("dev=workflow:deploy.yml", "prod=workflow:deploy.yml"))) == 2


def test_each_environment_is_an_operation_of_its_own_kind_with_its_way_back() -> None:
    standings = {"dev": Standing("v1.1.0", False, True, "sync Synced, health Healthy"), "staging": Standing(said="no run of deploy.yml on v1.2.0")}
    dev, staging, prod = promotions((DEV, STAGING, PROD), RELEASE, standings)
    assert (dev.kind, dev.target, dev.key, dev.why) == ("Promote:dev", "org/shop dev", "Promote:dev:org/shop:v1.2.0", "v1.2.0 was released.")
    assert dev.reverse == "Promote the release that dev had before again; the result names it."
    assert [fact.text for fact in dev.evidence] == ["is at v1.1.0", "sync Synced, health Healthy"]
    assert [fact.text for fact in staging.evidence] == ["no run of deploy.yml on v1.2.0"]
    assert prod.evidence == ()
    assert dict(prod.parameters) == {
        "environment": "prod", "way": "git", "target": "deploy/prod/kustomization.yaml", "application": "ops/shop-prod", "revision": "1.2.0",
        "steps": "; ".join(steps(PROD, RELEASE)),
    }  # fmt: skip
    assert {operation.status for operation in (dev, staging, prod)} == {OperationStatus.PLANNED}


def test_what_an_approval_is_about_stays_the_same_while_the_plan_is_done() -> None:
    before = promotions((DEV, PROD), RELEASE, {"dev": Standing("v1.1.0", False, True, "health Healthy")})
    after = promotions((DEV, PROD), RELEASE, {"dev": Standing("v1.2.0", True, False, "health Progressing")})
    assert plan_hash("org/shop", before) == plan_hash("org/shop", after)
    assert plan_hash("org/shop", before) != plan_hash("org/shop", promotions((DEV, PROD), RELEASE, force=True))


def test_the_steps_of_an_operation_say_exactly_what_would_be_done() -> None:
    assert [steps(one, RELEASE) for one in (DEV, STAGING, PROD)] == [
        (
            "let the Argo CD application shop-dev follow v1.2.0",
            "sync it unless it syncs by itself",
            "wait until it is synced and healthy, at most 600 s",
        ),
        ("start deploy.yml on v1.2.0 for staging, unless a run is there", "wait for its end, at most 600 s"),
        (
            "write 1.2.0 into deploy/prod/kustomization.yaml",
            "commit and push it",
            "sync the Argo CD application ops/shop-prod unless it syncs by itself",
            "wait until it is synced and healthy, at most 600 s",
            "run the check",
        ),
    ]


@pytest.mark.parametrize(
    ("current", "later"),
    [("v1.2.1", True), ("v2.0.0", True), ("1.3.0", True), ("v1.2.0", False), ("v1.1.9", False), ("v1.2.0-rc.1", False), ("v1.2.1-rc.1", True),
     ("HEAD", False), ("main", False), ("a" * 40, False), ("", False), ("2.0", True)],
)  # fmt: skip
def test_a_later_version_is_told_from_an_earlier_one_and_from_what_is_no_version(current: str, later: bool) -> None:
    assert is_later(current, RELEASE) is later


def test_calendar_versions_are_compared_by_their_numbers() -> None:
    release = PromotedRelease("org/shop", "2026.02.10", "2026.02.10", 0)
    assert [is_later(text, release) for text in ("2026.02.9", "2026.10.01", "2026.02.10")] == [False, True, False]


def test_tags_of_a_component_are_compared_without_their_prefix() -> None:
    release = PromotedRelease("org/shop", "api/v1.2.0", "1.2.0", 0)
    assert [is_later(text, release) for text in ("api/v1.3.0", "api/v1.1.0", "web/v9.0.0")] == [True, False, False]


def test_a_step_back_is_refused_unless_it_is_forced() -> None:
    (refused,) = promotions((DEV,), RELEASE, {"dev": Standing("v1.3.0", False, True)})
    assert (refused.status, refused.result) == (
        OperationStatus.REFUSED,
        "dev is at v1.3.0, which is later than v1.2.0; nothing is taken back unless that is forced.",
    )
    (forced,) = promotions((DEV,), RELEASE, {"dev": Standing("v1.3.0", False, True)}, force=True)
    assert forced.status is OperationStatus.PLANNED


@pytest.mark.parametrize("status", [OperationStatus.FAILED, OperationStatus.REFUSED, OperationStatus.NEEDS_APPROVAL])
def test_what_comes_after_an_environment_that_is_not_done_stays_planned_and_says_why(status: OperationStatus) -> None:
    asked: list[str] = []

    def one(operation: Operation) -> Operation:
        asked.append(operation.kind)
        return replace(operation, status=status if operation.kind == "Promote:staging" else OperationStatus.ALREADY_DONE)

    done = in_order(promotions((DEV, STAGING, PROD), RELEASE), one)
    assert asked == ["Promote:dev", "Promote:staging"]
    assert [operation.status for operation in done] == [OperationStatus.ALREADY_DONE, status, OperationStatus.PLANNED]
    assert done[2].result == "Not reached: Promote:staging comes first and is not done."


def test_in_a_dry_run_every_environment_is_shown() -> None:
    done = in_order(promotions((DEV, STAGING, PROD), RELEASE), lambda operation: replace(operation, result="Dry run: nothing was written."))
    assert [operation.result for operation in done] == ["Dry run: nothing was written."] * 3


def test_checkpoints_list_for_each_stage_what_must_hold() -> None:
    progress = {"dev": Progress(True, True), "staging": Progress(True, False)}
    found = checkpoints(ReleaseFacts(True, True, True, None), RELEASE, (DEV, STAGING, PROD), progress, {"prod": False})
    assert found == (
        Checkpoint("version and changelog", (
            ("The tag v1.2.0 is there", True), ("The changelog is written", True), ("All version files say 1.2.0", True), ("The release is published", None),
        )),
        Checkpoint("dev", (("shop-dev follows v1.2.0", True), ("shop-dev is synced and healthy", True))),
        Checkpoint("staging", (("deploy.yml was started on v1.2.0", True), ("Its run succeeded", False))),
        Checkpoint("prod", (
            ("Approved", False), ("deploy/prod/kustomization.yaml says 1.2.0", None), ("ops/shop-prod is synced and healthy", None), ("The check passed", None),
        )),
    )  # fmt: skip
    assert [each.holds for each in found] == [None, True, False, False]
