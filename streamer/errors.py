"""What can go wrong, as exceptions that are also the builtin a caller would expect.

Each message is one sentence that names the thing, the limit and what was received.
"""


class StreamerError(Exception):
    """Base of every error that this package raises on purpose."""

    def __str__(self) -> str:
        # KeyError quotes its argument; our messages are sentences, so all children print plainly.
        return str(self.args[0]) if self.args else self.__class__.__name__


class BadOption(StreamerError, ValueError):
    """An option has a value outside its bounds, or options contradict each other."""


class BadMedia(StreamerError, ValueError):
    """A file or URL is not media that can be read: missing, empty, damaged, unsupported."""


class TruncatedMedia(BadMedia):
    """A file ended or broke before its announced end; some frames were read."""


class BadStyle(StreamerError, ValueError):
    """A style file is damaged or does not fit its trunk."""


class UnknownStyle(StreamerError, KeyError):
    """No style of that name; the message lists the known names and suggests the nearest."""


class OutputError(StreamerError, OSError):
    """The output cannot be written: it exists, is the input, its folder is missing, the disk is full."""


class MissingDependency(StreamerError, ImportError):
    """An optional part of the installation is needed for what was asked."""


class BadOffer(StreamerError, ValueError):
    """An SDP offer, or a fragment of candidates, that cannot be read or answered."""


class UnsupportedOffer(BadOffer):
    """An offer or fragment that can be read, but asks for what there is not: a second video, an ICE restart."""


class StaleEtag(StreamerError, ValueError):
    """The entity tag given is not that of the session's present ICE state."""


class UnknownStream(StreamerError, KeyError):
    """Nobody publishes under that name, or no session has that id."""


class NameTaken(StreamerError):
    """Somebody publishes under that name already."""


class Overloaded(StreamerError):
    """There is no room for more at the moment. `retry_after`: seconds after which trying again makes sense."""

    def __init__(self, sentence: str, retry_after: float = 5.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class TrainingDiverged(StreamerError, ArithmeticError):
    """A loss or a weight is no longer a finite number; the last good checkpoint is kept."""


class Interrupted(StreamerError):
    """The user asked to stop (Ctrl-C); nothing was left half-written."""

    def __init__(self, sentence: str = "Stopped before the end; nothing was written.") -> None:
        super().__init__(sentence)
