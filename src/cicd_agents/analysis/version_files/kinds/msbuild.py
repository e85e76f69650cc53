"""MSBuild projects (*.csproj and its sisters, Directory.Build.props): https://learn.microsoft.com/en-us/nuget/reference/msbuild-targets#pack-target

`Version`, `VersionPrefix` and `PackageVersion` are the project's; the others may be held back on purpose: they change where they say the current one.
"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import xml_text
from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, file_name

_ELEMENTS = {
    "Version": (Role.OWN, Spelling.PLAIN),
    "PackageVersion": (Role.OWN, Spelling.PLAIN),
    "VersionPrefix": (Role.OWN, Spelling.NUMBERS),
    "AssemblyVersion": (Role.FOLLOWS, Spelling.NUMBERS),
    "FileVersion": (Role.FOLLOWS, Spelling.NUMBERS),
    "InformationalVersion": (Role.FOLLOWS, Spelling.PLAIN),
    "AssemblyInformationalVersion": (Role.FOLLOWS, Spelling.PLAIN),
}
_ENDS = (".csproj", ".fsproj", ".vbproj")


def _find(text: str) -> Iterator[Place]:
    for element in xml_text.elements(text):
        match element.path:
            case ("Project", "PropertyGroup", name) if name in _ELEMENTS:
                yield element.place(*_ELEMENTS[name])


def _belongs(path: str) -> bool:
    return file_name(path).endswith(_ENDS) or file_name(path) in {"Directory.Build.props", "Directory.Build.targets"}


KIND = Kind("msbuild", "msbuild", _belongs, _find)
