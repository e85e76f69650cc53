"""A tiny ledger with a true bug: the total of a refund has the wrong sign."""


def total(entries: list[tuple[str, int]]) -> int:
    """The balance in cents after all entries; a refund lowers it."""
    balance = 0
    for kind, cents in entries:
        balance += cents if kind in ("sale", "refund") else 0
    return balance
