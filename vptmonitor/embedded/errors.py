"""What the embedded server says when it cannot run."""

import errno


class EmbeddedError(Exception):
    """The embedded server cannot run; the text says what is wrong and what to do about it."""

    @classmethod
    def from_os(cls, error: OSError) -> "EmbeddedError":
        """The sentence for an error of the operating system."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return cls(disk_full(str(error.filename or "the data folder")))
        return cls(f"The embedded PostgreSQL cannot start: {error}.")


def disk_full(place: str) -> str:
    """The sentence for a full disk."""
    return f"The disk that holds {place} is full: free some space there, then start again."
