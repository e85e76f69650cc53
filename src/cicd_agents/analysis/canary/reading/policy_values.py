"""Reading the values of a policy file by their form, with the dotted path in every refusal (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from cicd_agents.analysis.canary.reading.policy_keys import Form, Key
from cicd_agents.analysis.canary.reading.quantities import in_seconds, in_unit, read_quantity
from cicd_agents.domain.errors import UsageError

LONGEST_QUERY, LONGEST_TEXT, MOST_NAMES = 4000, 200, 50


def section(value: object, keys: Sequence[Key], path: str) -> dict[str, object]:
    """A mapping with known keys only; hyphens are as good as underscores, null is not given. Raises UsageError with the path of what is unknown."""
    if not isinstance(value, Mapping):
        raise UsageError(f"{path or 'The policy'} must be a mapping, such as {keys[0].name}: ….")
    known = {key.name for key in keys}
    found: dict[str, object] = {}
    for key, item in value.items():
        name = str(key).replace("-", "_") if isinstance(key, str) else str(key)
        if name not in known:
            close = get_close_matches(name, known, 1, 0.6)
            meant = f"did you mean {close[0]}?" if close else f"it has {', '.join(sorted(known))}."
            raise UsageError(f"{joined(path, str(key)[:60])} is not known; {meant}")
        if name in found:
            raise UsageError(f"{joined(path, name)} stands there twice, with a hyphen and with an underscore; keep one of them.")
        if item is not None:
            found[name] = item
    return found


def joined(path: str, name: str) -> str:
    """The dotted path of a key."""
    return f"{path}.{name}" if path else name


def value_of(key: Key, value: object, path: str) -> object:
    """The value in the type of domain.canary: seconds, fractions, minutes, numbers, texts. Raises UsageError for a value of another form."""
    readers = {
        Form.DURATION: _duration, Form.MINUTES: _minutes, Form.SHARE: share, Form.COUNT: _count, Form.WHOLE: _whole, Form.NUMBER: _number, Form.FLAG: _flag,
        Form.TEXT: _text, Form.QUERY: _query, Form.NAMES: _names, Form.QUANTILE: _quantile,
    }  # fmt: skip
    if key.form is Form.CHOICE:
        return _choice(key, value, path)
    return readers[key.form](value, path)


def _choice(key: Key, value: object, path: str) -> str:
    if isinstance(value, str) and value.lower() in key.choices:
        return value.lower()
    raise UsageError(f"{path} must be {' or '.join(choice or 'empty' for choice in key.choices)}, not {str(value)[:40]!r}.")


def _duration(value: object, path: str) -> float:
    found = read_quantity(value) if isinstance(value, str) and len(value) < LONGEST_TEXT else None
    seconds = in_seconds(found) if found is not None and not found.sign else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0:
        return 0.0
    if seconds is None or seconds > 1e9:
        raise UsageError(f"{path} must be a time with its unit, such as 90s, 3m or 500ms, not {str(value)[:40]!r}.")
    return seconds


def _minutes(value: object, path: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value, path)
    return _duration(value, path) / 60


def share(value: object, path: str) -> float:
    """A part of 1, written as percent or as a fraction."""
    found = read_quantity(value) if isinstance(value, str) and len(value) < LONGEST_TEXT else None
    number = in_unit(found, "%") if found is not None and not found.sign else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        number = float(value)
    if number is None or not 0 <= number <= 1:
        raise UsageError(f"{path} must be a part of the whole, such as 5% or 0.05, not {str(value)[:40]!r}.")
    return number


def _number(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise UsageError(f"{path} must be a number from 0, not {str(value)[:40]!r}.")
    return float(value)


def _count(value: object, path: str) -> int:
    return _whole(value, path, 1)


def _whole(value: object, path: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 1_000_000_000:
        raise UsageError(f"{path} must be a whole number from {least}, not {str(value)[:40]!r}.")
    return value


def _flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{path} must be true or false, not {str(value)[:40]!r}.")
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or not value.isprintable():
        raise UsageError(f"{path} must be a text of one line with at most {LONGEST_TEXT} characters.")
    return value.strip()


def _query(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_QUERY or "\x00" in value:
        raise UsageError(f"{path} must be PromQL as text of at most {LONGEST_QUERY} characters.")
    return value.strip()


def _names(value: object, path: str) -> tuple[str, ...]:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    items = [str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in items]  # 5 and 500 are outcome classes
    names = tuple(item for item in items if isinstance(item, str) and re.fullmatch(r"[^\s,\"]{1,100}", item))
    if len(names) < len(items) or not names or len(names) > MOST_NAMES:
        raise UsageError(f"{path} must be a name or a list of at most {MOST_NAMES} names without blanks.")
    return names


def _quantile(value: object, path: str) -> float:
    if isinstance(value, str) and (found := re.fullmatch(r"[pP](\d{1,2}(?:\.\d{1,3})?)", value.strip())):
        value = f"{found[1]}%"
    number = share(value, path)
    if not 0 < number < 1:
        raise UsageError(f"{path} must be between 0 and 1, such as 0.95, 95% or P95.")
    return number
