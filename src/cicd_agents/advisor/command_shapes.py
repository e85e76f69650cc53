"""The shapes that a suggested command may have, as people write usage lines.

`a|b` is one of both, `[…]` may be left out, `[…]*` may come often and `[…]+` must come; `{name}` is filled by a pattern of commands.py.
All of them look, test, or bring in what a project names already; the ways back of deployments are the only ones that change something elsewhere.
"""

from __future__ import annotations

SHAPES = (
    # Packages
    "npm ci|install|i|update|test|ls|outdated|dedupe|prune [--save-dev|-D|--save-exact|-E|--legacy-peer-deps|--package-lock-only|--ignore-scripts|{npm}]*",
    "npm audit [fix]",
    "npm explain {npm}",
    "npm view {npm} version|versions|peerDependencies|engines",
    "npm|pnpm|yarn|bun run {script}",
    "yarn {script}",
    "yarn|pnpm|bun install|test|dedupe|why|outdated|audit|up|update|upgrade|add|list [--frozen-lockfile|--no-frozen-lockfile|--immutable|-D|-E|-r|{npm}]*",
    "pip|pip3 install [-U|--upgrade|--no-cache-dir|--require-hashes|-r {path}|-c {path}|-e .|.|{pip}]+",
    "python|python3 -m pip install [-U|--upgrade|--no-cache-dir|--require-hashes|-r {path}|-c {path}|-e .|.|{pip}]+",
    "pip|pip3 check|list|freeze",
    "python|python3 -m pip check|list|freeze",
    "pip|pip3 show {word}",
    "poetry install|update|lock|check|show|add [--sync|--tree|--no-root|{pip}]*",
    "pipenv|pdm install|update|lock|sync [{pip}]*",
    "uv sync|lock|tree|add [--locked|--frozen|--upgrade|--upgrade-package {word}|{pip}]*",
    "cargo build|test|check|clippy|fmt|tree|update [--locked|--workspace|--all-targets|--all-features|--check|-i {word}|-p {word}|--precise {version}|{word}]*",
    "go build|test|vet [-v|-race|-count={number}|-run {word}|-timeout {time}|./...|{path}]*",
    "go mod tidy|download|verify|graph",
    "go mod why {go}",
    "go get [-u|{go}]+",
    "mvn|./mvnw [-B|-q|-U|-e|-X|-ntp|-am|-DskipTests|-Dtest={word}|-pl {path}|clean|test|verify|package|compile|install|dependency:tree|dependency:analyze]+",
    "gradle|./gradlew [--info|--stacktrace|--no-daemon|--refresh-dependencies|clean|test|build|check|lint|assemble|dependencies|{gradle}]+",
    "bundle install|lock|check|outdated",
    "bundle update [{word}]*",
    "bundle exec rspec|rubocop [{path}]*",
    "composer install|validate|dump-autoload|outdated",
    "composer update [{word}/{word}]*",
    "dotnet restore|build|test|format [{path}]",
    "mix|swift|flutter|dart test|analyze|format|build",
    # Tests and linters
    "pytest [-x|-v|-vv|-q|--lf|--ff|-s|-n {number}|-k {word}|{test}]*",
    "python|python3 -m pytest|unittest [-x|-v|-vv|-q|--lf|--ff|-s|-n {number}|-k {word}|{test}]*",
    "tox|nox [-e {word}|-s {word}]*",
    "jest|mocha|eslint|prettier|tsc|stylelint|vitest [--runInBand|--ci|--coverage|--fix|--check|--write|--noEmit|-p {path}|.|{path}]*",
    "npx jest|mocha|eslint|prettier|tsc|stylelint|vitest [--runInBand|--ci|--coverage|--fix|--check|--write|--noEmit|-p {path}|.|{path}]*",
    "ruff check|format [--fix|--check|--diff|.|{path}]*",
    "black|isort|flake8|mypy|pylint|pyright|shellcheck|hadolint|yamllint|actionlint|rubocop [--check|--diff|--strict|-a|.|{path}]*",
    "golangci-lint run [./...|{path}]*",
    "terraform fmt|validate [-check|-recursive]*",
    "make test|tests|lint|check|build|format|fmt|unit",
    "pre-commit run [--all-files]",
    # Git: reading, and taking a commit back
    "git status [-s|-sb|--short]",
    "git log [--oneline|--stat|-p|--graph|--no-merges|-n {number}|-{number}]* [{range}] [-- {path}]",
    "git show|diff [--stat|--name-only]* [{range}]* [-- {path}]",
    "git blame [-L {number},{number}] [--] {path}",
    "git revert [--no-edit|--no-commit|-m 1]* {ref}",
    "git bisect start|good|bad|skip [{ref}]*",
    "git bisect reset|log",
    "git fetch [--tags|--unshallow|--prune|--all]*",
    "git submodule status",
    "git submodule update --init [--recursive]",
    "git lfs pull|ls-files",
    "git describe --tags [--always]",
    "git tag --list",
    # Clusters and deliveries: reading, and the ways back
    "kubectl [{kube}]* get {object} [{word}] [{kube}|-o wide|-o yaml|-o json|-o name|-A|--all-namespaces|--show-labels|-w|-l {selector}|--sort-by={field}]*",
    "kubectl [{kube}]* describe {object} [{word}] [{kube}]*",
    "kubectl [{kube}]* logs {log} [{kube}|-c {word}|--previous|-p|--tail={number}|--since={time}|--timestamps|--all-containers]*",
    "kubectl [{kube}]* top pod|pods|node|nodes [{word}] [{kube}]*",
    "kubectl [{kube}]* rollout status|history|undo {object} [{word}] [{kube}|--to-revision={number}|--revision={number}]*",
    "kubectl [{kube}]* events [{kube}]*",
    "kubectl argo rollouts get rollout {word} [{kube}]*",
    "kubectl argo rollouts status|undo {word} [{kube}|--to-revision={number}]*",
    "argocd app get|history|diff|resources|logs {word} [--refresh]",
    "argocd app list",
    "argocd app rollback {word} [{number}]",
    "flux get|events|logs|tree|stats [all|kustomizations|kustomization|helmreleases|helmrelease|sources] [{word}] [{kube}]*",
    "helm list|status|history [{word}] [{kube}]*",
    "helm rollback {word} [{number}] [{kube}]*",
    # The machine
    "df -h",
    "free -h|-m",
    "nproc",
    "docker ps|images [-a]",
    "docker system df",
    "docker compose ps|logs",
    "node|python|python3|java|ruby|cargo|npm|docker|helm|terraform --version",
    "go|helm|kubectl|docker version",
)

# The start of commands that fetch packages: the words after it that are no flags are names of packages.
FETCHING = (
    "npm install", "npm i", "npm update", "yarn install", "yarn up", "yarn update", "yarn upgrade", "yarn add", "pnpm install", "pnpm up", "pnpm update",
    "pnpm upgrade", "pnpm add", "bun install", "bun up", "bun update", "bun upgrade", "bun add", "pip install", "pip3 install", "python -m pip install",
    "python3 -m pip install", "poetry add", "poetry update", "pipenv install", "pipenv update", "pdm install", "pdm update", "uv add", "cargo update",
    "go get", "bundle update", "composer update",
)  # fmt: skip
# Further starts, which fit no shape; in prose they are written all the same.
ALSO_FETCHING = (
    "npx", "npm exec", "npm add", "npm create", "yarn dlx", "pnpm dlx", "bunx", "pipx run", "pipx install", "uvx", "uv pip install", "cargo install",
    "go install", "go run", "gem install", "brew install", "apt install", "apt-get install", "apk add", "yum install", "dnf install", "docker run",
    "docker pull", "conda install", "composer require", "dotnet add package", "easy_install", "choco install", "winget install",
)  # fmt: skip
FLAGS_WITH_VALUE = frozenset({"-r", "-c", "-e", "-w", "-p", "-i", "--precise", "--upgrade-package"})
