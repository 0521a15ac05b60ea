"""Errors as a visitor reads them: a sentence in the page, the detail in the log."""

from __future__ import annotations

import functools
import inspect
import logging
import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import gradio as gr

from streamer.errors import StreamerError
from web.demo.scratch import PREFIX

SURPRISE = "Something went wrong that should not have. It is in the log; please try again."
TITLE = "That did not work"
SHOWN = 12  # seconds
_FOLDERS = re.compile(rf"/[^\s'\"]*{PREFIX}[^/\s]*/(?:[^/\s'\"]+/)*")  # where a file lies is nobody's business
_log = logging.getLogger(__name__)


def told(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler, or one that yields, whose errors are shown in the page."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def yielding(*arguments: Any, **named: Any) -> Iterator[Any]:
            try:
                yield from handler(*arguments, **named)
            except Exception as error:  # the visitor is told, whatever it is
                raise message_of(error) from error

        return yielding

    @functools.wraps(handler)
    def returning(*arguments: Any, **named: Any) -> Any:
        try:
            return handler(*arguments, **named)
        except Exception as error:  # the visitor is told, whatever it is
            raise message_of(error) from error

    return returning


def message_of(error: Exception) -> gr.Error:
    """What Gradio shows when a handler fails."""
    if isinstance(error, gr.Error):
        return error
    sentence = escape(sentence_of(error), quote=False)
    return gr.Error(sentence, duration=SHOWN, title=TITLE, print_exception=False)


def warn(error: Exception) -> str:
    """Show an error while the handler goes on; returns the sentence, so that it can stay in the page as well."""
    sentence = sentence_of(error)
    gr.Warning(escape(sentence, quote=False), duration=SHOWN, title=TITLE)
    return sentence


def sentence_of(error: Exception) -> str:
    """An error in one sentence. A surprise is logged, and nothing of it said: it may tell of other visitors."""
    if isinstance(error, StreamerError):
        return _FOLDERS.sub("", " ".join(str(error).split()))
    _log.error("a handler failed", exc_info=error)
    return SURPRISE
