"""Which files a suggested patch may touch: sources and their like; nothing that runs by itself, reaches out, or tells other machines what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

_SEGMENT = re.compile(r"[\w.@+()\[\], =-]+")
_MOST = 300
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))})
_MANIFESTS = (
    "package.json", "bower.json", "deno.json*", "jsr.json", "pnpm-workspace.yaml", "*requirements*.txt", "*requirements*.in", "*constraints*.txt",
    "requirements/*.txt", "*/requirements/*.txt", "pyproject.toml", "setup.cfg", "pipfile", "environment*.y*ml", "cargo.toml", "go.mod", "go.work",
    "composer.json", "pom.xml", "*.versions.toml", "*.csproj", "*.fsproj", "*.vbproj", "packages.config", "directory.packages.props", "pubspec.yaml",
    "vcpkg.json", "conanfile.txt", "dub.json", "*.cabal", "shard.yml", "project.clj", "deps.edn", "cartfile",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Closed:
    """Files that no patch may touch, wherever they lie: all below folders of these names, and files whose names fit. All is lower case."""

    reason: str
    folders: frozenset[str]
    files: tuple[str, ...]


def _closed(reason: str, folders: str, files: str) -> Closed:
    return Closed(reason, frozenset(folders.split()), tuple(files.split()))


_LOCKS = _closed(
    "lock file", "",
    "*.lock *.lockb *.lockfile *.lock.* *[-._]lock.json *[-._]lock.y*ml *[-._]lock.toml npm-shrinkwrap.json go.sum go.work.sum package.resolved "
    "cartfile.resolved pylock*.toml verification-metadata.xml verification-keyring.* *.locked package-lock.kdl manifest.toml manifest-v*.toml "
    "cabal.project.freeze cpanfile.snapshot dub.selections.json project.assets.json maven_install.json",
)  # fmt: skip
_CLOSED = (
    _LOCKS,
    _closed(
        "CI or workflow file",
        ".github .gitlab .circleci .buildkite .teamcity .semaphore .tekton .gitea .forgejo .woodpecker .harness .builds .azure-pipelines .azuredevops "
        ".codefresh .ci .cloudbuild .jenkins gitlab-component",
        "*gitlab-ci*.y*ml *jenkinsfile* *.jenkins* action.y*ml .travis.y*ml *drone.y*ml *drone.star .woodpecker* *appveyor.y*ml .cirrus.* .build.yml "
        ".codecov.y*ml codecov.y*ml wercker.y*ml bitrise.y*ml codemagic.y*ml .vela.y*ml screwdriver.y*ml azure-pipelines* bitbucket-pipelines* cloudbuild* "
        "buildspec* codefresh* appspec* amplify.y*ml codeowners renovate* .renovate* dependabot* *drone.jsonnet circle.y*ml ci.y*ml pipeline.y*ml "
        "pipelines.y*ml *[-_]pipeline.y*ml .sourcehut* .gitpod.y*ml .readthedocs* .goreleaser* gocd.y*ml *.gocd.y*ml netlify.toml vercel.json "
        "ci/*.y*ml */ci/*.y*ml *pipelines/*.y*ml buildkite/* */buildkite/* jenkins/*.groovy */jenkins/*.groovy vars/*.groovy */vars/*.groovy "
        "workflow-templates/*",
    ),
    _closed("settings of cicd-agents", ".cicd-agents cicd-agents", ".cicd-agents* cicd-agents*"),
    _closed(
        "hook or Git configuration",
        ".git .githooks .hooks .husky .lefthook .overcommit .hg .svn .bzr .jj",
        ".gitmodules .gitattributes .gitconfig *lefthook*.y*ml *lefthook*.toml .pre-commit-config.* .pre-commit-hooks.* .overcommit* .lintstaged* "
        "lint-staged* .huskyrc* .simple-git-hooks* applypatch-msg* pre-applypatch* post-applypatch* pre-commit* pre-merge-commit* "
        "prepare-commit-msg* commit-msg* post-commit* pre-rebase* post-checkout* post-merge* pre-push* pre-receive* post-receive* "
        "post-update* push-to-checkout* pre-auto-gc* post-rewrite*",
    ),
    # Obeyed as soon as a tool starts in the folder, or with credentials and addresses in it.
    _closed(
        "configuration that tools obey",
        ".vscode .idea .devcontainer .fleet .cargo .mvn .yarn .docker .kube .ssh .aws .gnupg .config .direnv .claude .cursor .gemini .codex .continue "
        ".windsurf .zed .roo .kiro .junie .amazonq .clinerules .augment .goose .opencode .agents .trae .qodo .tabnine .serena",
        ".npmrc .yarnrc* .pypirc .netrc .envrc .env .env.* .condarc .gemrc .curlrc .wgetrc .dockercfg .bazelrc .mise.toml mise.toml .tool-versions "
        ".pnpmfile.* pip.conf pip.ini nuget.config .mcp.json agents.md claude.md gemini.md skill.md copilot-instructions.md .cursorrules .windsurfrules "
        ".clinerules .aider* sitecustomize.py usercustomize.py *.pth claude.*.md agents.*.md gemini.*.md warp.md .rules .roorules "
        ".goosehints mcp.json devcontainer.json opencode.json* .bashrc .bash_profile .bash_aliases .profile .zshrc .zshenv .zprofile .inputrc .vimrc .exrc "
        ".nvimrc .lldbinit .gdbinit .irbrc .pryrc .rprofile .renviron .pdbrc authorized_keys gradle-wrapper.* maven-wrapper.*",
    ),
)  # fmt: skip


def path_fault(path: str) -> str:
    """Why a patch may not touch the file; empty where it may. Nobody ever asks for a lock file: a model cannot reckon its hashes, a tool writes it anew."""
    parts = path.split("/")
    if len(path) > _MOST or not all(map(_plain, parts)):
        return "path outside the tree or unusual"
    folded = [part.casefold() for part in parts]
    whole, name = "/".join(folded), folded[-1]
    for closed in _CLOSED:
        if not closed.folders.isdisjoint(folded) or any(fnmatchcase(whole if "/" in glob else name, glob) for glob in closed.files):
            return closed.reason
    return ""


def names_packages(path: str) -> bool:
    """Whether the file says which packages are fetched, by names that stand there as data."""
    folded = path.casefold()
    return any(fnmatchcase(folded if "/" in glob else folded.rpartition("/")[2], glob) for glob in _MANIFESTS)


def _plain(segment: str) -> bool:
    """A name that every file system takes for itself: no dots, blanks or dashes where they have a meaning, and no device."""
    usual = bool(_SEGMENT.fullmatch(segment)) and segment.strip() == segment and not segment.endswith(".") and not segment.startswith("-")
    return usual and segment.partition(".")[0].casefold() not in _DEVICES
