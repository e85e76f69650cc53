"""The file of the project that a message names without a line: "MAX_HOURS is missing in .ci-limits", "FAIL golden/de.txt" (pure)."""

from __future__ import annotations

import re

from cicd_agents.domain.finding import Location

_ENDINGS = (
    "py|pyi|ipynb|[cm]?[jt]sx?|vue|svelte|astro|rb|rake|gemspec|go|rs|java|kts?|scala|groovy|gradle|cc?|cpp|cxx|hh?|hpp|hxx|mm|cs|fs|vb|(?:cs|fs|vb)proj|sln|props"
    "|targets|php|exs?|[eh]rl|hs|cabal|mli?|lua|p[lm]|t|R|jl|swift|dart|nim|zig|cr|d|v|sv|vhdl?|sh|bash|bats|zsh|fish|ps1|bat|cmd|ya?ml|toml|jsonc?|json5|xml|xsd|ini"
    "|cfg|conf|properties|env|lock|mod|sum|tf|tfvars|hcl|rego|sql|prisma|proto|graphql|thrift|avsc|s?css|sass|less|html?|tmpl|tpl|j2|erb|haml|ejs|hbs|mustache|mjml"
    "|md|mdx|rst|adoc|tex|txt|csv|tsv|feature|robot|snap|golden|spec|cmake|mk|bzl|nix|Dockerfile|sol|cu|asm|s"
)
_NAMES = "Dockerfile|Containerfile|Makefile|Jenkinsfile|Gemfile|Rakefile|Podfile|Pipfile|Caddyfile|Procfile|Vagrantfile|Brewfile|Tiltfile|Earthfile|Fastfile"
# A name between blanks, quotes or brackets; a test's name may follow it (a.py::test_b).
_DOTTED = r"\.[a-z][a-z0-9]*(?:(?:[-_.][a-z0-9]+)+|rc|ignore|modules|attributes)"
_FILE = re.compile(
    rf"(?:^|[\s\"'`‘“(\[])(?P<path>(?:\.{{0,2}}/)?(?:[\w@.+-]+/)*(?:[\w@+-][\w@.+-]*\.(?:{_ENDINGS})|(?:{_NAMES})|{_DOTTED}))"
    r"(?=[\s\"'`’”)\]=,;!?]|:(?:[\s:]|$)|\.?$|\. )"
)
# What the system, a package manager or the build itself put there is no source.
_NO_SOURCE = re.compile(
    r"^/(?!builds/|home/|Users/|workspace/|app/|src/|github/|__w/|var/(?:lib/jenkins|jenkins_home)/)|(?:^|/)(?:node_modules|site-packages|dist-packages|dist|build|target|out|coverage|vendor"
    r"|bin|obj|tmp|temp|_temp|_actions|\.cache|\.npm|\.m2|\.gradle|\.venv|venv|\.local|\.cargo|\.rustup|\.git)/|\.(?:mod|lock)/"
    r"|^\.(?:" + _ENDINGS + r")$|^(?:[Nn]ode|[Vv]ue|[Nn]ext|[Dd]3|ASP|asp)\.(?:js|net)$"
)
_LONGEST = 600


def named_file(text: bytes) -> Location | None:
    """The file, where the message names exactly one that may be the project's."""
    found = {match["path"] for match in _FILE.finditer(text[:_LONGEST].decode(errors="replace"))}
    paths = {path for path in found if not _NO_SOURCE.search(path)}
    return Location(paths.pop()) if len(paths) == 1 else None
