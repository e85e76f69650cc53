"""The files of the deployment-guardian: bounded, safe, refused with file and line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.canary import default_policy
from cicd_agents.analysis.canary.reading.policy_text import policy_as_text
from cicd_agents.clients.guardian_files import MAX_FILE, parse_points, read_points, read_policy_file, read_slo_file, read_template_file
from cicd_agents.domain.canary import Point, Strategy
from cicd_agents.domain.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "canary"
POLICY = default_policy()
EXPECTED = (Point("error_rate", 0.0012, 0.001), Point("latency_p95", 0.165, 0.15), Point("cpu", 48.0, 45.0))
TABLE = "Error rate: 0.12% (baseline: 0.10%) / P95 latency: 165ms (baseline: 150ms) / CPU: 48% (baseline: 45%)"


# Each line holds the line before twice.
BOMB = "a: &a [1, 1]\nb0: &b0 [*a, *a]\n" + "\n".join(f"b{number}: &b{number} [*b{number - 1}, *b{number - 1}]" for number in range(1, 40))


def _file(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _refused(read: Any, *given: Any) -> str:
    with pytest.raises(UsageError) as refused:
        read(*given)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_tables_are_read_as_text_json_and_yaml(tmp_path: Path) -> None:
    assert read_points(EXAMPLES / "table.yml", POLICY) == EXPECTED
    assert read_points(_file(tmp_path, "t.txt", "\ufeff" + TABLE), POLICY) == EXPECTED
    table = [{"metric": "error_rate", "canary": "0.12%", "baseline": "0.10%"}]
    assert read_points(_file(tmp_path, "t.json", json.dumps(table)), POLICY) == EXPECTED[:1]
    assert parse_points(json.dumps(table), "--points", POLICY) == EXPECTED[:1]
    assert parse_points(TABLE, "--points", POLICY) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "error_rate: {canary: 0.12%, baseline: 0.10%}\nlatency_p95:\n  canary: 165ms\n  baseline: 150ms\ncpu: {canary: 48%, baseline: 45%}\n",
        (
            "metrics:\n- metric: error_rate\n  canary: 0.12%\n  baseline: 0.10%\n- name: P95\n  canary: 165ms\n  baseline: 150ms\n"
            "- {name: cpu, canary: 48%, baseline: 45%}\n"
        ),
        "Canary:\n  Error rate: 0.12%\n  P95: 165ms\n  CPU: 48%\nBaseline:\n  Error rate: 0.10%\n  P95: 150ms\n  CPU: 45%\n",
    ],
)
def test_yaml_that_is_piped_in_is_read_as_yaml(text: str) -> None:
    assert parse_points(text, "standard input", POLICY) == EXPECTED


def test_a_mistake_in_yaml_that_is_piped_in_is_told_with_its_line() -> None:
    says = "standard input, line 1: error_rate.basline of the table is not known"
    assert says in _refused(parse_points, "error_rate: {canary: 5.2%, basline: 0.1%}\n", "standard input", POLICY)


def test_the_examples_are_read() -> None:
    assert [query.name for query in read_policy_file(EXAMPLES / "policy.yml").queries] == ["checkout_errors.errors", "checkout_errors.total", "queue_length"]
    template = read_template_file(EXAMPLES / "analysis-template.yml", {"service-name": "shop", "latest-hash": "abc"})
    assert [metric.name for metric in template.metrics] == ["success-rate", "latency-p95"]
    assert len(read_slo_file(EXAMPLES / "slo.yml").objectives) == 3


def test_an_empty_policy_is_the_default_one(tmp_path: Path) -> None:
    assert read_policy_file(_file(tmp_path, "p.yml", "# nothing yet\n")).policy == POLICY


def test_one_of_several_templates_is_chosen_by_its_name(tmp_path: Path) -> None:
    one = "kind: AnalysisTemplate\nmetadata: {name: %s}\nspec: {metrics: [{name: m, provider: {prometheus: {query: up}}}]}\n"
    path = _file(tmp_path, "t.yml", "kind: Service\n---\n" + one % "a" + "---\n" + one % "b" + "---\n")
    assert read_template_file(path, template="b").name == "b"
    assert "there are several AnalysisTemplates, a, b; say which" in _refused(read_template_file, path)
    assert "there is no AnalysisTemplate c of Argo Rollouts: it has a, b." in _refused(read_template_file, path, {}, "c")
    assert "no document has the kind AnalysisTemplate" in _refused(read_template_file, EXAMPLES / "slo.yml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("metrics:\n  cpu:\n    weight: 1\n    go: 80ms\n", "p.yml, line 4: metrics.cpu.go: the unit of 80ms does not fit"),
        ("alpha: 1%\nstages:\n  - {share: 5%, minutes: 5}\n  - {share: 25%}\n", "p.yml, line 4: stages[1] needs its minutes"),
        ("at-once:\n  oom-kills: many\n", "p.yml, line 2: at_once.oom_kills must be a whole number"),
        ("alpha: 1%\nbeta: 2\n", "p.yml, line 2: beta is not known"),
        ("metrics:\n  cpu: {}\n  cpu: {}\n", "p.yml, line 3: cpu stands there twice."),
        ("a: [", "p.yml, line 1: is not YAML"),
        ("- a\n", "p.yml: the file must be a mapping"),
        ("alpha: 1%\n---\nalpha: 2%\n", "p.yml: holds several documents"),
        (f"alpha: 1%\nstep: 0x{'f' * 5000}\n", "p.yml, line 2: a number has more than 60 digits."),
        ("---\n" * 60, "p.yml: holds more than 50 documents"),
        ("!!python/object/apply:os.system ['true']\n", "is not YAML"),
        (b"a: \xff\n", "p.yml: is not UTF-8."),
        ("[" * 5000, "is not YAML"),
        ("#" * (MAX_FILE + 1), "p.yml: is larger than 256 KiB"),
        (BOMB, "stands for more than 100000 values"),
        ("a: &a\n  b: *a\n", "stands for more than 100000 values"),
        ("? [1, 2]\n: 3\n", "p.yml"),
        ("? {a: 1}\n: 3\n", "p.yml"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_read_is_refused_with_its_place(tmp_path: Path, text: str | bytes, says: str) -> None:
    assert says in _refused(read_policy_file, _file(tmp_path, "p.yml", text))


def test_other_files_are_refused_with_their_place(tmp_path: Path) -> None:
    assert "t.yml, line 2: p95.canary of the table, 'slow', is no number" in _refused(read_points, _file(tmp_path, "t.yml", "cpu: 4%\np95: slow\n"), POLICY)
    assert "t.json, line 2: is not JSON" in _refused(read_points, _file(tmp_path, "t.json", '{"a": 1,\n'), POLICY)
    assert "t.json: is not JSON" in _refused(read_points, _file(tmp_path, "t.json", f'{{"error_rate": 1{"0" * 400}}}'), POLICY)
    assert "error_rate.canary of the table is too large" in _refused(read_points, _file(tmp_path, "t.json", f'{{"error_rate": 1{"0" * 50}}}'), POLICY)
    assert "t.txt: Line 1 of the table" in _refused(read_points, _file(tmp_path, "t.txt", "speed: 3\n"), POLICY)
    assert "slo.yml, line 2: objectives[0].weight must be" in _refused(read_slo_file, _file(tmp_path, "slo.yml", "objectives:\n- {sli: x, weight: -1}\n"))
    assert "none.yml: no such file." in _refused(read_policy_file, tmp_path / "none.yml")
    assert "cannot be read" in _refused(read_policy_file, tmp_path)
    needs = "analysis-template.yml, line"
    assert needs in _refused(read_template_file, EXAMPLES / "analysis-template.yml")


def _says(problem: UsageError, text: str) -> None:
    assert text in str(problem)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text(alphabet="abc:-[]{}&*#|>'\"!? \n\t%1.<~=@`", max_size=60) | st.binary(max_size=40))
def test_any_file_is_read_or_refused(tmp_path: Path, text: str | bytes) -> None:
    path = _file(tmp_path, "any.yml", text)
    for read in (read_policy_file, read_slo_file, read_template_file, lambda file: read_points(file, POLICY)):
        try:
            read(path)
        except UsageError as problem:
            _says(problem, str(path))


# The schema

SCHEMA = json.loads((ROOT / "schema" / "canary-policy-v1.json").read_text(encoding="utf-8"))


def test_the_schema_is_made_from_the_table_of_keys() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "canary_policy_schema.py", "--check"], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_schema_takes_what_the_reader_takes(strategy: Strategy) -> None:
    jsonschema.validate(yaml.safe_load(policy_as_text(default_policy(strategy))), SCHEMA)
    jsonschema.validate(yaml.safe_load((EXAMPLES / "policy.yml").read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    "document", [{"beta": 1}, {"stages": [{"share": 5}]}, {"metrics": {"cpu": {"goo": "1x"}}}, {"metrics": {"Bad": {}}}, {"warm_up": "soon"}]
)
def test_the_schema_refuses_what_the_reader_refuses(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
