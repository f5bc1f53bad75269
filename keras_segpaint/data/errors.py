"""The error that every problem with a data set is reported as."""

__all__ = ["DataError"]


class DataError(ValueError):
    """A data set cannot be used as it is; the message names the files and what to do about them.

    Example:
        >>> issubclass(DataError, ValueError)
        True
    """
