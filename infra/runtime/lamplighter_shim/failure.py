from __future__ import annotations


class Failure(Exception):
    """The attempt cannot succeed, and this is why: one of the error classes, one line for people, and details."""

    def __init__(self, error_class: str, message: str, detail: str = '') -> None:
        super().__init__(message)
        self.error_class, self.message, self.detail = error_class, message, detail


class Stopped(Exception):
    """A person asked the shim to end while it was preparing the job. The argument is the signal's name."""


class NotProfiled(Exception):
    """The file does not hold a table that we can read, and this is why."""


class NoTable(Exception):
    """The file is as it should be, and holds no table: there is nothing to profile and nothing to complain of."""
