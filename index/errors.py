"""Errors meant for the person at the keyboard: one Chinese sentence that names what was expected, what was found
and what to do. The command lines print them in one line and exit with 2; anything else is a defect and shows its
traceback."""


class UserError(Exception):
    """Parent of every error whose message is written for the user."""


class DocumentError(UserError):
    """A document cannot be read: missing, empty, binary, protected, too large, unknown kind."""


class OutlineError(UserError):
    """An outline file does not fit the text it describes."""


class IndexMissing(UserError):
    """There is no index at the given place."""


class IndexMismatch(UserError):
    """The index on disk is damaged, older, half-written, or was built with another model or dictionary."""


class ModelMissing(UserError):
    """An embedding or language model cannot be loaded from the given name or folder."""
