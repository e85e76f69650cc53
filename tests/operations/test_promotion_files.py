"""The version in a deployment file is found and changed without touching anything else, and never guessed."""

from __future__ import annotations

import pytest

from cicd_agents.domain.errors import UsageError
from cicd_agents.operations.promotion_files import stated_version, with_version

KUSTOMIZE = "images:\n  - name: org/shop   # ours\n    newTag: v1.1.0\n  - name: org/worker\n    newTag: 'v1.1.0'\n"
CHART = 'apiVersion: v2\nname: shop\nversion: 1.1.0\nappVersion: "1.1.0"\ndependencies:\n  - name: redis\n    version: 19.0.0\n'


def test_image_tags_that_agree_are_all_changed_and_keep_their_v() -> None:
    assert stated_version("deploy/kustomization.yaml", KUSTOMIZE) == "v1.1.0"
    assert with_version("deploy/kustomization.yaml", KUSTOMIZE, "1.2.0") == KUSTOMIZE.replace("1.1.0", "1.2.0")


def test_image_tags_that_differ_are_not_guessed() -> None:
    text = KUSTOMIZE.replace("'v1.1.0'", "7.2.4")
    with pytest.raises(UsageError, match=r"states several versions \(v1\.1\.0, 7\.2\.4\); put the comment `cicd-agents-version`"):
        stated_version("kustomization.yaml", text)


def test_a_mark_says_which_image_is_meant() -> None:
    text = KUSTOMIZE.replace("newTag: v1.1.0", "newTag: v1.1.0 # cicd-agents-version").replace("'v1.1.0'", "7.2.4")
    assert with_version("kustomization.yaml", text, "1.2.0") == text.replace("v1.1.0", "v1.2.0")


def test_a_chart_changes_its_version_and_the_application_version_that_agrees() -> None:
    assert with_version("charts/shop/Chart.yaml", CHART, "1.2.0") == CHART.replace("1.1.0", "1.2.0")
    apart = CHART.replace('appVersion: "1.1.0"', 'appVersion: "5.0.0"')
    assert with_version("charts/shop/Chart.yaml", apart, "1.2.0") == apart.replace("1.1.0", "1.2.0")


def test_any_file_with_a_mark_will_do() -> None:
    text = "image:\n  tag: 1.1.0 # cicd-agents-version\n"
    assert with_version("prod/values.yaml", text, "1.2.0") == text.replace("1.1.0", "1.2.0")


def test_a_file_without_a_version_is_said() -> None:
    with pytest.raises(UsageError, match=r"values\.yaml: states no version"):
        stated_version("values.yaml", "image:\n  tag: 1.1.0\n")
