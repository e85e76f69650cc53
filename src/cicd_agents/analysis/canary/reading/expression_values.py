"""Evaluating a condition on a measured value, with the types of the expr language: no text is a number, nothing but true is true (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, copysign, floor, inf, isinf, isnan, nan, trunc
from operator import ge, gt, le, lt
from statistics import median
from typing import Any

from cicd_agents.analysis.canary.reading.expressions import CLOSURES, ConditionError, Node

MOST_STEPS = 50_000
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_NUMBER = (int, float)


def condition_holds(node: Node, result: object) -> bool:
    """Whether the condition holds for a result: a number, an array of numbers (the samples of a vector), text, a mapping, or None.

    Raises ConditionError where the value has another type than the condition needs, an index is out of range, or the outcome is neither true nor false.
    """
    try:
        value = _Run(result).value(node, None)
    except (OverflowError, RecursionError) as problem:
        raise ConditionError(f"The condition cannot be evaluated: {type(problem).__name__}.") from None
    if not isinstance(value, bool):
        raise ConditionError(f"The condition is neither true nor false, but {_kind(value)}.")
    return value


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a truth value"
    kinds = ((_NUMBER, "a number"), (str, "text"), (Mapping, "a mapping"), (Sequence, "an array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "nothing" if value is None else "something else")


def _number(value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, _NUMBER):
        raise ConditionError(f"The condition needs a number where there is {_kind(value)}.")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConditionError(f"The condition needs a whole number as an index where there is {_kind(value)}.")
    return value


def _array(value: object) -> Sequence[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise ConditionError(f"The condition needs an array where there is {_kind(value)}.")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ConditionError(f"The condition needs true or false where there is {_kind(value)}.")
    return value


class _Run:
    """One evaluation, with a bound on its steps."""

    def __init__(self, result: object) -> None:
        self.result, self.steps = result, 0

    def value(self, node: Node | None, item: object) -> Any:
        self.steps += 1
        if node is None:
            return None
        if self.steps > MOST_STEPS:
            raise ConditionError("The condition takes too many steps on this value.")
        return getattr(self, f"of_{node.kind}")(node, item)

    def of_number(self, node: Node, item: object) -> Any:  # noqa: ARG002 all kinds are called alike
        return node.value

    of_text = of_constant = of_number

    def of_result(self, node: Node, item: object) -> Any:  # noqa: ARG002
        return self.result

    def of_item(self, node: Node, item: object) -> Any:  # noqa: ARG002
        return item

    def of_list(self, node: Node, item: object) -> Any:
        return [self.value(part, item) for part in node.parts]

    def of_choice(self, node: Node, item: object) -> Any:
        return self.value(node.parts[1 if _truth(self.value(node.parts[0], item)) else 2], item)

    def of_field(self, node: Node, item: object) -> Any:
        holder = self.value(node.parts[0], item)
        optional = node.parts[1]
        if holder is None and optional is not None and optional.value:
            return None
        if not isinstance(holder, Mapping):
            raise ConditionError(f"The condition needs the field {str(node.value)[:40]} of {_kind(holder)}.")
        return holder.get(str(node.value))

    def of_index(self, node: Node, item: object) -> Any:
        holder, at = self.value(node.parts[0], item), self.value(node.parts[1], item)
        if isinstance(holder, Mapping):
            return holder.get(at) if isinstance(at, str) else None
        array = _array(holder)
        at = _whole(at)
        if not -len(array) <= at < len(array):
            raise ConditionError(f"The condition needs item {at} of an array of {len(array)}.")
        return array[at]

    def of_slice(self, node: Node, item: object) -> Any:
        array = _array(self.value(node.parts[0], item))
        low, high = (None if part is None else _whole(self.value(part, item)) for part in node.parts[1:])
        return array[low:high]

    def of_unary(self, node: Node, item: object) -> Any:
        value = self.value(node.parts[0], item)
        if node.value == "!":
            return not _truth(value)
        return -_number(value) if node.value == "-" else +_number(value)

    def of_binary(self, node: Node, item: object) -> Any:
        sign, (left, right) = str(node.value), node.parts
        if sign in {"&&", "||"}:
            first = _truth(self.value(left, item))
            return first if first is (sign == "||") else _truth(self.value(right, item))
        if sign == "??":
            first_value = self.value(left, item)
            return self.value(right, item) if first_value is None else first_value
        return _operated(sign, self.value(left, item), self.value(right, item))

    def of_call(self, node: Node, item: object) -> Any:
        name = str(node.value)
        if name in CLOSURES:
            array = _array(self.value(node.parts[0], item))
            return self._closure(name, array, node.parts[1])
        # Both look at the whole result, whatever stands in their first argument: so do those of Argo Rollouts.
        if name == "isNil":
            return self.result is None
        values = [self.value(part, item) for part in node.parts]
        if name == "default":
            return values[1] if self.result is None else self.result
        return _called(name, values)

    def _closure(self, name: str, array: Sequence[Any], body: Node | None) -> Any:
        values = [self.value(body, item) for item in array]
        if name == "map":
            return values
        kept = [_truth(value) for value in values]
        if name == "filter":
            return [item for item, keep in zip(array, kept, strict=True) if keep]
        return {"all": all(kept), "any": any(kept), "none": not any(kept), "one": sum(kept) == 1}.get(name, sum(kept))


def _operated(sign: str, left: Any, right: Any) -> Any:
    if sign in {"==", "!="}:
        return _equal(left, right) is (sign == "==")
    if sign == "in":
        if isinstance(right, Mapping):
            return isinstance(left, str) and left in right
        return any(_same(left, item) for item in _array(right) if type(left) is type(item) or _numbers(left, item))
    if sign in {"contains", "startsWith", "endsWith"}:
        if not isinstance(left, str) or not isinstance(right, str):
            raise ConditionError(f"The condition needs two texts for {sign}.")
        return {"contains": right in left, "startsWith": left.startswith(right), "endsWith": left.endswith(right)}[sign]
    if isinstance(left, str) and isinstance(right, str) and sign in {*_COMPARE, "+"}:
        return left + right if sign == "+" else _COMPARE[sign](left, right)
    return _counted(sign, _number(left), _number(right))


def _numbers(left: object, right: object) -> bool:
    return not isinstance(left, bool) and not isinstance(right, bool) and isinstance(left, _NUMBER) and isinstance(right, _NUMBER)


def _same(left: Any, right: Any) -> bool:
    return bool(left == right)


def _equal(left: Any, right: Any) -> bool:
    """Equality of the same type only; nil can be compared with everything."""
    if left is None or right is None:
        return left is right
    if _numbers(left, right) or (isinstance(left, Sequence) and isinstance(right, Sequence) and isinstance(left, str) is isinstance(right, str)):
        return _same(left, right)
    if type(left) is not type(right):
        raise ConditionError(f"The condition compares {_kind(left)} with {_kind(right)}.")
    return _same(left, right)


def _counted(sign: str, left: Any, right: Any) -> Any:
    if sign in _COMPARE:
        return _COMPARE[sign](left, right)
    if sign == "/":
        return _divided(float(left), float(right))
    if sign == "%":
        if not isinstance(left, int) or not isinstance(right, int) or right == 0:
            raise ConditionError("The condition needs two whole numbers for %, and no 0 on the right.")
        return left - right * trunc(left / right)
    if sign in {"**", "^"}:
        return _power(float(left), float(right))
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


def _divided(left: float, right: float) -> float:
    """As floating point numbers divide: by zero there is no error."""
    if right != 0:
        return left / right
    return nan if left == 0 or isnan(left) else copysign(inf, left) * copysign(1, right)


def _power(left: float, right: float) -> float:
    try:
        value = left**right
    except ZeroDivisionError:
        return inf
    return value if isinstance(value, float) else nan


def _called(name: str, values: list[Any]) -> Any:
    first = values[0]
    if name == "len":
        if not isinstance(first, (str, Mapping, Sequence)):
            raise ConditionError(f"The condition needs the length of {_kind(first)}.")
        return len(first)
    if name in {"asInt", "asFloat", "int", "float"}:
        return _converted(name, first)
    if name in {"isNaN", "isInf"}:
        return isnan(_number(first)) if name == "isNaN" else isinf(_number(first))
    if name in {"abs", "ceil", "floor", "round"}:
        return _rounded(name, _number(first))
    if name in {"first", "last"}:
        array = _array(first)
        return array[0 if name == "first" else -1] if array else None
    numbers = [_number(value) for value in (values if len(values) > 1 else _array(first))]
    return _summed(name, numbers)


def _rounded(name: str, value: Any) -> Any:
    if name == "abs":
        return abs(value)
    if isnan(value) or isinf(value):
        return value
    if name == "round":
        return floor(abs(value) + 0.5) * copysign(1, value)
    return float(ceil(value) if name == "ceil" else floor(value))


def _summed(name: str, numbers: list[Any]) -> Any:
    if name == "sum":
        return sum(numbers)
    if not numbers:
        raise ConditionError(f"The condition needs the {name} of an empty array.")
    if name == "mean":
        return sum(numbers) / len(numbers)
    if name == "median":
        return median(numbers)
    return min(numbers) if name == "min" else max(numbers)


def _converted(name: str, value: Any) -> Any:
    try:
        if isinstance(value, str):
            return int(value, 10) if name in {"asInt", "int"} else float(value)
        return trunc(_number(value)) if name in {"asInt", "int"} else float(_number(value))
    except ValueError:
        raise ConditionError(f"The condition needs a number where there is {str(value)[:40]!r}.") from None
