"""Errors that a person caused and can mend; each is one sentence that says what, where and what to do."""


class UsageError(Exception):
    """Wrong settings, options or files. Leads to exit code 2, without a traceback."""


class SignatureError(UsageError):
    """A signature file or rule that cannot be used: says the file, the rule and the reason."""
