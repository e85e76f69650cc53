"""Records of the memory as rows: texts are made storable and short, and what comes back is checked."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cicd_agents.domain.errors import BadAnswer
from cicd_agents.domain.history import PastAdvice, PastDecision, PastFailure, PastRerun

Value = str | int | float | None
Row = Sequence[Any]

MAX_TITLE = 300
# Longest texts, in characters. Names of jobs and branches are shorter on all platforms; a URL is a link to a run or job.
CAPS: Mapping[str, int] = MappingProxyType({
    "repository": 255, "run_id": 255, "job": 255, "fingerprint": 64, "signature": 128, "category": 64, "workflow": 255, "branch": 255, "sha": 64, "url": 1000,
})  # fmt: skip
# The same of the guardian's decisions. Selectors are PromQL; one that was cut would select something else, so a longer one is not kept at all.
DECISION_CAPS: Mapping[str, int] = MappingProxyType({
    "repository": 255, "service": 255, "environment": 255, "version": 255, "run_id": 255, "status": 32, "decision": 32,
})  # fmt: skip
SELECTORS = ("canary", "baseline", "common")
MAX_SELECTOR = 1000
# The same of what a model was asked. An answer that was cut would be none, so a longer one is not kept at all.
ADVICE_CAPS: Mapping[str, int] = MappingProxyType({"repository": 255, "key": 64, "run_id": 255, "agent": 64, "model": 128})
MAX_ANSWER = 20_000
_DIGEST = 16
# Numbers beyond this fit neither database's integers nor any platform's attempts and pull requests.
_MAX_NUMBER = 2**31 - 1


def storable(name: str, text: str) -> str:
    """The text of a column without what databases refuse (NUL, lone surrogates), cut to its cap.

    A cut text ends with a digest of the whole, so that two long names of jobs stay two. Doing it twice changes nothing.
    """
    return _capped(text, CAPS[name])


def _capped(text: str, most: int) -> str:
    text = _clean(text)
    if len(text) <= most:
        return text
    return f"{text[: most - _DIGEST - 1]}~{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"


def failure_values(failure: PastFailure, now: float, redact: Callable[[str], str]) -> dict[str, Value]:
    """The columns of a failure. The title is redacted, as it comes from a log."""
    return _failure_values(failure, redact(failure.title), time_of(failure.time, now))


def rerun_values(rerun: PastRerun, now: float) -> dict[str, Value]:
    """The columns of a re-run."""
    return _rerun_values(rerun, time_of(rerun.time, now))


def decision_values(decision: PastDecision, now: float, redact: Callable[[str], str]) -> dict[str, Value]:
    """The columns of a decision. The reason is redacted, as it may quote what was seen."""
    return _decision_values(decision, redact(decision.reason), time_of(decision.time, now))


def advice_values(advice: PastAdvice, now: float, redact: Callable[[str], str]) -> dict[str, Value]:
    """The columns of a question to a model. The answer is redacted, as it quotes what was seen."""
    return _advice_values(advice, _redacted_answer(advice.text, redact), time_of(advice.time, now))


def advice_place(repository: str, key: str) -> dict[str, Value]:
    """The columns that say which question it was."""
    return {name: _capped(text, ADVICE_CAPS[name]) for name, text in (("repository", repository), ("key", key))}


def advice_identity(advice: PastAdvice) -> dict[str, Value]:
    """The columns that say which one it was of all that were asked; its time as it is stored."""
    return {name: _capped(getattr(advice, name), ADVICE_CAPS[name]) for name in ("repository", "key", "run_id")} | {"time": advice.time}


def advice_row(row: Row) -> dict[str, Value]:
    """The columns of a question to a model that another memory holds. Raises BadAnswer when the row is none."""
    advice = advice_of(row)
    return _advice_values(advice, advice.text, advice.time)


def decision_place(repository: str, service: str, environment: str) -> dict[str, Value]:
    """The columns that say of what a decision was."""
    place = {"repository": repository, "service": service, "environment": environment}
    return {name: _capped(text, DECISION_CAPS[name]) for name, text in place.items()}


def decision_row(row: Row) -> dict[str, Value]:
    """The columns of a decision that another memory holds. Raises BadAnswer when the row is none."""
    decision = decision_of(row)
    return _decision_values(decision, decision.reason, decision.time)


def failure_row(row: Row) -> dict[str, Value]:
    """The columns of a failure that another memory holds. Raises BadAnswer when the row is none."""
    failure = failure_of(row)
    return _failure_values(failure, failure.title, failure.time)


def rerun_row(row: Row) -> dict[str, Value]:
    """The columns of a re-run that another memory holds. Raises BadAnswer when the row is none."""
    rerun = rerun_of(row)
    return _rerun_values(rerun, rerun.time)


def _failure_values(failure: PastFailure, title: str, time: float) -> dict[str, Value]:
    texts = {name: storable(name, getattr(failure, name)) for name in CAPS}
    return {**texts, "attempt": number(failure.attempt), "title": _title(title), "time": time}


def _rerun_values(rerun: PastRerun, time: float) -> dict[str, Value]:
    return {
        "repository": storable("repository", rerun.repository), "run_id": storable("run_id", rerun.run_id), "attempt": number(rerun.attempt),
        "signature": storable("signature", rerun.signature), "pull_request": None if rerun.pull_request is None else number(rerun.pull_request),
        "time": time, "helped": None if rerun.helped is None else int(rerun.helped),
    }  # fmt: skip


def _decision_values(decision: PastDecision, reason: str, time: float) -> dict[str, Value]:
    texts = {name: _capped(getattr(decision, name), most) for name, most in DECISION_CAPS.items()}
    selectors = {name: _clean(getattr(decision, name)) for name in SELECTORS}
    if any(len(selector) > MAX_SELECTOR for selector in selectors.values()):
        selectors = dict.fromkeys(SELECTORS, "")
    numbers = {"stage": number(decision.stage), "time": time, "since": real(decision.since), "risk": real(decision.risk)}
    return {**texts, **selectors, **numbers, "reason": _title(reason)}


def _advice_values(advice: PastAdvice, answer: str, time: float) -> dict[str, Value]:
    texts = {name: _capped(getattr(advice, name), most) for name, most in ADVICE_CAPS.items()}
    answer = _clean(answer)
    usd = advice.usd if advice.usd is not None and math.isfinite(advice.usd) and advice.usd >= 0 else None
    return {**texts, "text": answer if len(answer) <= MAX_ANSWER else "", "time": time, "usd": usd, "tokens": number(advice.tokens)}


def _redacted_answer(text: str, redact: Callable[[str], str]) -> str:
    """The text without secrets. It is JSON, in which escapes could hide one from the search and hiding one could eat a quotation mark: so string by string."""
    try:
        whole = json.loads(text)
        bare = _redacted(whole, redact)
    except (ValueError, RecursionError):
        return redact(text)
    return text if bare == whole else json.dumps(bare, sort_keys=True)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(part, redact) for part in value]
    if isinstance(value, dict):
        return {redact(name): _redacted(part, redact) for name, part in value.items()}
    return value


def advice_of(row: Row) -> PastAdvice:
    """A question to a model from its columns, in the order of PastAdvice's fields. Raises BadAnswer when the row is none."""
    repository, key, run_id, time, agent, model, text, usd, tokens = row
    return PastAdvice(
        _text(repository), _text(key), _text(run_id), real(time), _text(agent), _text(model), _text(text), None if usd is None else real(usd), whole(tokens)
    )


def decision_of(row: Row) -> PastDecision:
    """A decision from its columns, in the order of PastDecision's fields. Raises BadAnswer when the row is none."""
    repository, service, environment, version, stage, run_id, time, since, status, decision, reason, risk, *selectors = row
    return PastDecision(
        _text(repository), _text(service), _text(environment), _text(version), whole(stage), _text(run_id), real(time), real(since), _text(status),
        _text(decision), _text(reason), real(risk), *(_text(selector) for selector in selectors),
    )  # fmt: skip


def failure_of(row: Row) -> PastFailure:
    """A failure from its columns, in the order of PastFailure's fields. Raises BadAnswer when the row is none."""
    repository, fingerprint, signature, category, title, workflow, job, branch, sha, run_id, attempt, time, url = row
    return PastFailure(
        _text(repository), _text(fingerprint), _text(signature), _text(category), _text(title), _text(workflow), _text(job), _text(branch),
        _text(sha), _text(run_id), whole(attempt), real(time), _text(url),
    )  # fmt: skip


def rerun_of(row: Row) -> PastRerun:
    """A re-run from its columns, in the order of PastRerun's fields. Raises BadAnswer when the row is none."""
    repository, run_id, attempt, signature, pull_request, time, helped = row
    return PastRerun(
        _text(repository), _text(run_id), whole(attempt), _text(signature), None if pull_request is None else whole(pull_request),
        real(time), None if helped is None else bool(whole(helped)),
    )  # fmt: skip


def texts(rows: Sequence[Row]) -> tuple[str, ...]:
    """The first column of each row."""
    return tuple(_text(row[0]) for row in rows)


def number(value: int) -> int:
    """The number within what both databases can store."""
    return max(0, min(value, _MAX_NUMBER))


def whole(value: object) -> int:
    """A whole number. Raises BadAnswer."""
    if isinstance(value, int):
        return value
    raise _strange()


def real(value: object) -> float:
    """A finite number. Raises BadAnswer."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise _strange()


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise _strange()


def _strange() -> BadAnswer:
    return BadAnswer("The memory of failures holds a value of the wrong type; it was not written by cicd-agents. Delete it, a new one is begun.")


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _title(text: str) -> str:
    text = _clean(text)
    return text if len(text) <= MAX_TITLE else text[: MAX_TITLE - 1] + "…"


def time_of(value: float, now: float) -> float:
    """The time of a record, at most now: one from the future would outlive all others; so would one without a time (NaN fails both comparisons)."""
    return float(value) if 0 <= value <= now else now
