"""For any text: nothing is raised, only versions change, and what is read agrees with real parsers."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.version_files import json_text, toml_text, xml_text, yaml_text
from cicd_agents.analysis.version_files.editing import read, write
from cicd_agents.analysis.version_files.known import KINDS
from cicd_agents.analysis.version_files.places import Kind, places
from cicd_agents.analysis.version_files.planning import planned_changes

# Pieces that mean something in one of the formats, so that random texts reach deep.
PIECES = st.sampled_from([
    "version", '"version"', "1.2.3", '"1.2.3"', "'1.2.3'", ":", "=", " = ", "{", "}", "[", "]", "[[", "]]", "(", ")", ",", "\n", "\r\n", "\r", " ", "  ", "\t",
    "#", "//", "/*", "*/", '"""', "'''", '"', "'", "\\", "<", ">", "</", "<!--", "-->", "<![CDATA[", "]]>", "<project>", "</project>", "<version>",
    "</version>", "&v;", "&v ", "*v", "package", "[package]", "[project]", "[[package]]", "name", "info", "openapi", "images", "newTag", "- ", "|", ">",
    "__version__", "VERSION", "setup(", "@version", "def project", "PATH\n", "    a (1.2.3)", "x-release-please-version", "cicd-agents-start-version",
    "cicd-agents-end", "packages", "dependencies", "path", "é", "😀", "\ufeff", "\x00", "\ud800", "=begin", "__END__", "%TAG", "---\n", "...\n", "!!", "? ",
    "\x85", "\u2028",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
@MANY
@given(text=TEXTS)
def test_any_text_is_read_and_only_its_places_change(kind: Kind, text: str) -> None:
    found = places(kind, text)
    assert all(text[place.start : place.end] == place.text for place in found)
    read(kind, text)
    after = write(kind, text, "1.2.3", "1.3.0")
    between = [text[start:end] for start, end in zip([0, *(place.end for place in found)], [*(place.start for place in found), len(text)], strict=True)]
    for kept in between:
        assert kept in after
    assert write(kind, after, "1.2.3", "1.3.0") == after
    assert len(places(kind, after)) == len(found)


@MANY
@given(
    files=st.dictionaries(st.sampled_from(["package.json", "package-lock.json", "Cargo.toml", "Cargo.lock", "pom.xml", "a/pom.xml", "VERSION", "a.py"]), TEXTS)
)
def test_any_files_can_be_planned_and_a_second_plan_is_empty(files: dict[str, str]) -> None:
    plan = planned_changes(files, "1.2.3", "1.3.0")
    assert planned_changes({**files, **dict(plan.texts)}, "1.2.3", "1.3.0").changes == ()


KEYS = st.text("abversion. -\"'\\#é😀", min_size=1, max_size=8) | st.just("version")
STRINGS = st.text("12.3}{][\"'#\\\n,é😀 =:", max_size=12) | st.just("1.2.3")
VALUES: st.SearchStrategy[Any] = st.recursive(
    STRINGS | st.integers(-9, 9) | st.booleans(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)


@MANY
@given(document=DOCUMENTS, indent=st.sampled_from([None, 0, 2, "\t"]))
def test_the_members_of_json_objects_stand_where_they_are_said_to(document: dict[str, Any], indent: int | str | None) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    found = json_text.document(text)
    assert {member.key: json.loads(text[member.start : member.end]) for member in found} == document


def flat(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    if isinstance(value, dict):
        return {key: one for name, item in value.items() for key, one in flat(item, (*path, name)).items()}
    if isinstance(value, list):
        return {key: one for name, item in enumerate(value) for key, one in flat(item, (*path, name)).items()}
    return {path: value}


@MANY
@given(document=DOCUMENTS, style=st.sampled_from([None, '"', "'"]), flow=st.booleans())
def test_the_scalars_of_yaml_are_those_of_the_parser(document: dict[str, Any], style: str | None, flow: bool) -> None:
    text = yaml.safe_dump(document, default_style=style, default_flow_style=flow, allow_unicode=True)
    expected = flat(yaml.safe_load(text))
    for scalar in yaml_text.scalars(text):
        assert text[scalar.start : scalar.end] == scalar.value
        assert str(expected[scalar.path]).lower() == scalar.value.lower()


@MANY
@given(document=st.dictionaries(st.sampled_from("abc"), st.lists(st.dictionaries(st.sampled_from("de"), st.text("1.2v-é", min_size=1)), max_size=3)))
def test_all_quoted_scalars_of_yaml_are_found(document: dict[str, Any]) -> None:
    text = yaml.safe_dump(document, default_style="'", allow_unicode=True, width=10_000)
    assert {scalar.path: scalar.value for scalar in yaml_text.scalars(text)} == flat(document)


def toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {toml_value(one)}, # ]\n" for one in value) + "]"
    if isinstance(value, str) and "'" not in value and "\n" not in value and len(value) % 2:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


TOML_KEYS = st.sampled_from(["a", "b-c", "version", "package"])
TOML_VALUES: st.SearchStrategy[Any] = st.recursive(
    STRINGS | st.integers(-9, 9) | st.booleans(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TOML_KEYS, inner, max_size=3), max_leaves=8
)


@MANY
@given(
    tables=st.lists(
        st.tuples(st.sampled_from(["[[package]]", "[[package.a]]", "[ package . b ]", "[c]"]), st.dictionaries(TOML_KEYS, TOML_VALUES, max_size=3)), max_size=5
    )
)
def test_the_entries_of_toml_are_those_of_the_parser(tables: list[tuple[str, dict[str, Any]]]) -> None:
    text = "".join(f"{header} # [x]\n" + "".join(f"{key} = {toml_value(one)}\r\n" for key, one in body.items()) for header, body in tables)
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # tables that were given twice
    for path, entry in toml_text.entries(text).items():
        value: Any = expected
        for key in path:
            value = value[key]
        assert entry.string is None or entry.string == value
        assert tomllib.loads(f"x = {entry.raw}") == {"x": value}
    assert len([1 for path in toml_text.entries(text) if path[0] in {"package", "c"}]) == len(toml_text.entries(text))
    assert bool(toml_text.entries(text)) == any(body for _, body in tables)


@MANY
@given(values=st.lists(st.text("12.3 é😀\n", max_size=6), max_size=5))
@example(values=["1.2.3", "", " 1 "])
def test_the_text_of_xml_elements_stands_where_it_is_said_to(values: list[str]) -> None:
    text = "<?xml version='1.0'?>\n<a><!-- é<b>0</b> -->" + "".join(f"<b x='>'>{value}</b>" for value in values) + "</a>"
    found = xml_text.elements(text)
    assert [element.value for element in found] == [value.strip(" \n") for value in values if value.strip(" \n")]
    assert all(text[element.start : element.end] == element.value and element.path == ("a", "b") for element in found)


# Nestings, beginnings of strings and comments that never end, and what patterns with a repeat could stumble over.
ENDLESS = (
    "[", "{", '"', "'", "'''", '"""', "a: ", "- ", "<a>", "<!--", "\\", "=", "(", "[a]\n", "[[a]]\n", "#", "/*", "a.", "a = [", '\\"""', "\t", "version = ",
    '{"a":', "a={", "1.1-", "&a ", "? ", "=begin\n",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_long_texts_without_an_end_are_read(kind: Kind) -> None:
    for start in ("", "x-release-please-start-version\n__version__ setup( VERSION "):
        for piece in ENDLESS:
            text = start + piece * 3_000
            assert write(kind, text, "4.5.6", "4.6.0").count(piece) == text.count(piece)
