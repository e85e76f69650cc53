"""Answers are read with types; a wrong shape is said by its place and never by its value."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer

RUN = {
    "id": 7, "name": "CI", "draft": True, "head": {"sha": "abc", "user": None}, "jobs": [{"id": 1, "labels": ["a", "b"]}, {"id": "x", "labels": [1]}],
    "at": "2026-11-26T12:00:00Z", "zero": 0, "empty": "", "none": None,
}  # fmt: skip


def run() -> Shape:
    return Shape.of(RUN, "GitHub: the run")


def test_values_are_read() -> None:
    assert (run().text("name"), run().number("id"), run().flag("draft"), run().inner("head").text("sha")) == ("CI", 7, True, "abc")
    assert (run().number("zero"), run().text("empty"), run().optional_text("empty")) == (0, "", "")
    assert run().items("jobs")[0].texts("labels") == ("a", "b")


@pytest.mark.parametrize("key", ["none", "missing"])
def test_null_and_missing_are_the_same(key: str) -> None:
    assert (run().text(key, "d"), run().number(key, 3), run().flag(key, True), run().flag(key)) == ("d", 3, True, False)
    assert (run().optional_text(key), run().optional_number(key), run().maybe(key), run().time(key)) == (None, None, None, None)
    assert (run().items(key, missing_ok=True), run().texts(key, missing_ok=True)) == ((), ())


WRONG: list[tuple[Callable[[Shape], Any], str]] = [
    (lambda it: it.text("id"), "`id` should be a text, but is a number."),
    (lambda it: it.text("missing"), "`missing` should be a text, but is missing."),
    (lambda it: it.text("head", "default"), "`head` should be a text, but is an object."),
    (lambda it: it.number("name"), "`name` should be a whole number, but is a text."),
    (lambda it: it.number("draft"), "`draft` should be a whole number, but is true or false."),
    (lambda it: it.number("none"), "`none` should be a whole number, but is missing."),
    (lambda it: it.flag("zero"), "`zero` should be true or false, but is a number."),
    (lambda it: it.inner("none"), "`none` should be an object, but is missing."),
    (lambda it: it.inner("jobs"), "`jobs` should be an object, but is a list."),
    (lambda it: it.inner("head").number("sha"), "`head.sha` should be a whole number, but is a text."),
    (lambda it: it.inner("head").inner("user"), "`head.user` should be an object, but is missing."),
    (lambda it: it.items("missing"), "`missing` should be a list, but is missing."),
    (lambda it: it.items("head"), "`head` should be a list, but is an object."),
    (lambda it: it.items("jobs")[1].number("id"), "`jobs[1].id` should be a whole number, but is a text."),
    (lambda it: it.items("jobs")[1].texts("labels"), "`jobs[1].labels` should be a list of texts, but is a list."),
    (lambda it: it.time("name"), "`name` should be a time in ISO 8601, but is a text."),
    (lambda _: Shape.of([1], "GitLab: the job"), "GitLab: the job: the answer should be an object, but is a list."),
    (lambda _: Shape.of({"a": [1]}, "x").items("a"), "`a[0]` should be an object, but is a number."),
]


@pytest.mark.parametrize(("read", "words"), WRONG)
def test_a_wrong_shape_is_said_with_its_place(read: Callable[[Shape], Any], words: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        read(run())
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T01:01:00.500+01:00", 60.5),
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01T00:01:00.123456789Z", 60.123456),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_times_are_seconds_since_the_epoch(text: str, seconds: float | None) -> None:
    assert Shape.of({"at": text}, "x").time("at") == seconds


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
METHODS = ["text", "number", "flag", "optional_text", "optional_number", "inner", "maybe", "items", "texts", "time"]


@given(value=ANYTHING, method=st.sampled_from(METHODS))
def test_no_value_crashes_a_reader(value: object, method: str) -> None:
    with suppress(BadAnswer):
        getattr(Shape.of({"key": value}, "x"), method)("key")


def test_a_value_is_not_part_of_the_message_or_the_text_of_a_shape() -> None:
    shape = Shape.of({"token": "s3cret-value"}, "GitHub: the token")
    with pytest.raises(BadAnswer) as caught:
        shape.number("token")
    assert "s3cret-value" not in str(caught.value) + repr(shape)
