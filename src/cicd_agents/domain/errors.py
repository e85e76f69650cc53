"""Errors that a person caused and can mend, and errors of the services we ask; each is one sentence: what, where, what to do."""


class UsageError(Exception):
    """Wrong settings, options or files. Leads to exit code 2, without a traceback."""


class SignatureError(UsageError):
    """A signature file or rule that cannot be used: says the file, the rule and the reason."""


class ServiceError(Exception):
    """A service did not do what we asked. Its text names the service, what was being done and what to do; never a token.

    The subclasses are named by what the user can do about them.
    """


class NotAllowed(ServiceError):
    """401 or 403: the credential is missing, wrong or too weak; the text names the permission or variable to add."""


class NotFound(ServiceError):
    """404 or 410: it is not there, is gone, or may not be seen with this credential."""


class RateLimited(ServiceError):
    """429, or 403 with a spent quota, beyond the time that we may wait."""


class Unavailable(ServiceError):
    """The service could not be reached or failed: network, TLS, timeouts, 5xx, a body that was cut."""


class Rejected(ServiceError):
    """4xx otherwise (409, 422, …): the request makes no sense to the service in its present state."""


class BadAnswer(ServiceError):
    """The service answered with something else than its description says."""


class Refused(ServiceError):
    """We ourselves refuse the request: http to a host that is not allowed, a link-local address, a host that was not asked for, too large an answer."""
