"""Errors of the read side meant for the user; their parent is index.errors.UserError."""

from index.errors import ModelMissing, UserError


class EmptyQuestion(UserError):
    """The question holds nothing that can be looked up."""


class QuestionTooLong(UserError):
    """The question is longer than the limit in the settings."""


class GenerationError(UserError):
    """The answerer failed or stopped in the middle."""


class PromptTooLong(GenerationError):
    """The passages do not fit into what the model can read at once."""


class NotQuantizable(ModelMissing):
    """The weights of a model cannot be held in 8 bits on this machine."""


class BatchError(UserError):
    """A list of questions cannot be read, or its answers cannot be written."""


class UnsoundAnswer(UserError):
    """A figure of an answer does not stand in what it cites."""


class LibraryError(UserError):
    """The approved answers cannot be read or written."""


class ConfigError(UserError):
    """A setting is unknown or its value is not one of those allowed."""
