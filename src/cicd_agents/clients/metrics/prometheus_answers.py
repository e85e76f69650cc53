"""What a server of PromQL answers, as series of numbers.

Source: Prometheus, "HTTP API" (docs/querying/api.md), "Expression query result formats". Values are texts ("NaN", "+Inf"); warnings come with success.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.canary import Samples
from cicd_agents.domain.errors import BadAnswer, Refused, Rejected
from cicd_agents.domain.guardian import MetricsAnswer, Sampled
from cicd_agents.domain.invisible import INVISIBLE, LINE_BREAK

MAX_SAMPLES = 1_000_000
# Texts of the server for people: so many of each kind, each so long.
_MAX_TEXTS = 20
_LONGEST_TEXT = 500
_NATIVE = "of the series hold native histograms, which are not read; ask for a number of them, such as histogram_quantile(0.95, …) or histogram_count(…)."
# VictoriaMetrics says so in place of a warning.
_PARTIAL = "The server says that a part of its storage did not answer; the data is not whole."


def answer_of(data: Any, who: str, query: str) -> MetricsAnswer:
    """The series of an answer. `who` answered, such as "Prometheus".

    Raises BadAnswer for another shape, Rejected for an error that is told as a success and for a text in place of numbers, Refused for over a million samples.
    """
    whole = Shape.of(data, f"{who}: the answer to a query")
    if whole.text("status", "success") != "success":
        raise Rejected(f"{who}: the query failed: {_short(whole.text('error', 'no reason is given'))}.")
    inner = whole.inner("data")
    kind = inner.text("resultType")
    entries = _entries(kind, inner, who)
    series = tuple(_bounded((one for entry in entries if (one := _sampled(entry, kind, whole.where)) is not None), who))
    native = sum(1 for entry in entries if entry.get("histogram") or entry.get("histograms"))
    warnings = _texts(whole.data.get("warnings"))
    warnings += ((f"{native} {_NATIVE}",) if native else ()) + ((_PARTIAL,) if whole.data.get("isPartial") is True else ())
    return MetricsAnswer(query, series, warnings, _texts(whole.data.get("infos")))


def joined(query: str, answers: Sequence[MetricsAnswer], who: str) -> MetricsAnswer:
    """The parts of one window as one answer. Raises Refused for over a million samples."""
    found: dict[tuple[tuple[str, str], ...], tuple[Mapping[str, str], list[tuple[float, float]]]] = {}
    for answer in answers:
        for one in answer.series:
            found.setdefault(tuple(sorted(one.labels.items())), (one.labels, []))[1].extend(one.samples)
    series = tuple(_bounded((Sampled(labels, tuple(samples)) for labels, samples in found.values()), who))
    warnings, infos = ([text for answer in answers for text in texts(answer)] for texts in (_warnings, _infos))
    return MetricsAnswer(query, series, tuple(dict.fromkeys(warnings)), tuple(dict.fromkeys(infos)))


def _entries(kind: str, inner: Shape, who: str) -> Sequence[Mapping[str, Any]]:
    """The series as the server gives them; a scalar is one without labels."""
    if kind in ("vector", "matrix"):
        return [entry.data for entry in inner.items("result", missing_ok=True)]
    if kind == "scalar":
        return [{"value": inner.data.get("result")}]
    if kind == "string":
        raise Rejected(f"{who}: the query gives a text, not numbers.")
    raise BadAnswer(f"{who}: the answer to a query is of an unknown kind, `{_short(kind)}`.")


def _sampled(entry: Mapping[str, Any], kind: str, where: str) -> Sampled | None:
    """A series; None: it has no numbers (but native histograms)."""
    values = entry.get("values") if kind == "matrix" else entry.get("value")
    if values is None and (entry.get("histogram") or entry.get("histograms")):
        return None
    return Sampled(_labels(entry.get("metric"), where), _samples(values if kind == "matrix" else [values], where))


def _labels(data: Any, where: str) -> Mapping[str, str]:
    if data is None:
        return {}
    if isinstance(data, Mapping) and all(isinstance(value, str) for value in data.values()):
        return dict(data)
    raise BadAnswer(f"{where}: the labels of a series are not texts.")


def _samples(values: Any, where: str) -> Samples:
    try:
        # In one step: answers hold a hundred thousand of them.
        samples = tuple((float(time), float(value)) for time, value in values)
    except (TypeError, ValueError, OverflowError):
        raise BadAnswer(f"{where}: a sample is not a time and a number.") from None
    if not all(math.isfinite(time) for time, _ in samples):
        raise BadAnswer(f"{where}: the time of a sample is not a number.")
    return samples


def _bounded(series: Iterable[Sampled], who: str) -> Iterator[Sampled]:
    total = 0
    for one in series:
        total += len(one.samples)
        if total > MAX_SAMPLES:
            raise Refused(f"{who}: the query gives more than {MAX_SAMPLES:,} samples; the answer is dropped. Narrow its matchers, or sum over labels.")
        yield one


def _warnings(answer: MetricsAnswer) -> tuple[str, ...]:
    return answer.warnings


def _infos(answer: MetricsAnswer) -> tuple[str, ...]:
    return answer.infos


def _texts(data: Any) -> tuple[str, ...]:
    return tuple(_short(text) for text in data[:_MAX_TEXTS] if isinstance(text, str)) if isinstance(data, list) else ()


def _short(text: str) -> str:
    return " ".join(INVISIBLE.sub("", LINE_BREAK.sub(" ", text[:_LONGEST_TEXT])).split())
