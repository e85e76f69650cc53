"""What is advised, and why, for each kind of situation."""

from __future__ import annotations

import pytest

from cicd_agents.domain.canary import Status
from cicd_agents.operations.guardian_advice import Advice, Facts, advise, migration_files

FAILED = Facts(Status.FAIL, 0.25, 12, files=("src/app.py", "src/a.py", "src/b.py", "src/c.py"))
MIGRATED = ("src/app.py", "db/migrate/20250101_add.rb")


@pytest.mark.parametrize(
    ("facts", "advice", "words"),
    [
        (FAILED, Advice.ROLLBACK, "going back to it is the quickest way"),
        (Facts(Status.PASS, 0.25), Advice.HOLD, "nothing to take back"),
        (Facts(Status.INCONCLUSIVE, 0.25), Advice.HOLD, "wait for more traffic"),
        (Facts(Status.NO_DATA, 0.25, files=MIGRATED), Advice.HOLD, "blindness is no reason"),
        (
            Facts(Status.FAIL, 0.25, files=MIGRATED, can_freeze=True),
            Advice.FREEZE,
            "The change migrates the database (db/migrate/20250101_add.rb): all traffic",
        ),
        (Facts(Status.FAIL, 1.0, files=MIGRATED, can_freeze=True), Advice.HOTFIX, "undoing a migration may lose data"),
        (Facts(Status.FAIL, 0.25, files=MIGRATED), Advice.HOTFIX, "may not fit the new schema"),
        (Facts(Status.FAIL, 0.25, known_good=False, files=()), Advice.HOTFIX, "from bad to bad"),
        (Facts(Status.FAIL, 0.25, known_good=False, files=(), can_freeze=True), Advice.FREEZE, "from bad to bad"),
        (Facts(Status.FAIL, 0.05, files=None), Advice.ROLLBACK, "check that it migrates no database"),
        (Facts(Status.FAIL, 0.05, files=None), Advice.ROLLBACK, "Only 5% of the traffic"),
        (Facts(Status.FAIL, 1.0, files=("a.py",)), Advice.ROLLBACK, "The change is small (1 file)"),
        (Facts(Status.FAIL, 1.0, 3 * 24 * 60, files=("a.py",)), Advice.ROLLBACK, "It has run for 72 hours"),
    ],
)
def test_the_advice_has_its_reasons(facts: Facts, advice: Advice, words: str) -> None:
    found = advise(facts)
    assert found.advice is advice
    assert words in " ".join(found.reasons)


@pytest.mark.parametrize(
    "path",
    [
        "db/migrate/20250101_add.rb", "shop/migrations/0002_auto.py", "alembic/versions/1a2b.py", "src/main/resources/db/migration/V2__add.sql", "V1_1__x.sql",
        "prisma/migrations/2025/migration.sql", "sql/patch.sql", "db/changelog/changes.xml", "liquibase/update.yaml", "Migrations/20250101_Add.cs",
        "db/schema.rb", "prisma/schema.prisma", "database/migrations/2025_add.php", "changelogs/db/a.xml", "r1_2__Names.java", "schema.prisma",
    ],
)  # fmt: skip
def test_files_of_migrations_are_known_by_their_names(path: str) -> None:
    assert migration_files((path,)) == (path,)


@pytest.mark.parametrize("path", ["/migrations" * 100_000, "V1" + "_" * 1_000_000, "V1__" + "_." * 500_000, "db/" * 300_000 + "x.txt"])
def test_a_path_that_was_made_to_be_long_is_looked_at_once(path: str) -> None:
    assert migration_files((path,)) == ()


@pytest.mark.parametrize("path", [
    "src/migrate.py", "docs/migrations/README.md", "src/immigration/form.py", "V2.py", "sql.py", "charts/api/values.yaml", "changelog/x/db/a.xml", "V1_a.java",
    "V__a.java", "Vx1__a.java", "V1__.java", "migrations/sql",
])  # fmt: skip
def test_other_files_are_no_migrations(path: str) -> None:
    assert migration_files((path,)) == ()
