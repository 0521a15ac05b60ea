"""`streamer styles`: what there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from streamer.cli.console import EXIT_FAILED, Console, speaks

if TYPE_CHECKING:
    from streamer.styles import Style

SUMMARY = ("content", "style")  # the scores that the list has room for


@dataclass(frozen=True)
class Entry:
    """One style by name: in each model that has it, and in the first of those."""

    style: Style
    models: dict[str, Style]


@click.group(invoke_without_command=True, short_help="List the styles, or tell all of one.")
@click.pass_context
@speaks(progress=False)
def styles(context: click.Context, console: Console) -> int:
    """List the styles; `streamer styles show NAME` tells all of one."""
    if context.invoked_subcommand:
        return 0
    from streamer.styles import StyleLibrary
    from streamer.trunk import MODELS

    library = StyleLibrary.default()
    found: list[Entry] = []
    damaged = 0
    for name in sorted({name for model in MODELS for name in library.for_model(model).names()}):
        entry, errors = look_up(name)
        found += [entry] if entry else []
        for error in errors:
            damaged = console.fail(error)
    if console.as_json:
        console.result({"styles": [listed(entry) for entry in found]})
    for line in table(found):
        console.say(line)
    return EXIT_FAILED if damaged else 0


@styles.command()
@click.argument("name")
@speaks(progress=False)
def show(name: str, console: Console) -> int:
    """Tell all that is known of one style."""
    from streamer.styles import StyleLibrary

    entry, errors = look_up(name)
    for error in errors:
        console.complain(str(error))
    if entry is None:
        if not errors:
            StyleLibrary.default().get(name)  # raises, and says which styles there are
        return EXIT_FAILED
    if console.as_json:
        console.result(listed(entry) | {"of_model": {model: told(style) for model, style in entry.models.items()}})
    for line in described(entry):
        console.say(line)
    return EXIT_FAILED if errors else 0


def look_up(name: str) -> tuple[Entry | None, list[Exception]]:
    """A style in all models that have it, and what is wrong with those that cannot be used."""
    from streamer.errors import BadStyle
    from streamer.styles import StyleLibrary

    library = StyleLibrary.default()
    found: dict[str, Style] = {}
    errors: list[Exception] = []
    for model in library.models_of(name):
        try:
            found[model] = library.for_model(model).get(name)
        except BadStyle as error:
            errors.append(error)
    return (Entry(next(iter(found.values())), found) if found else None), errors


def listed(entry: Entry) -> dict[str, Any]:
    """What the list tells of a style."""
    style = entry.style
    return {
        "name": style.name,
        "title": style.title,
        "artist": style.artist,
        "licence": style.licence,
        "scores": style.scores,
        "models": list(entry.models),
    }


def told(style: Style) -> dict[str, Any]:
    """What is told of a style in one model: how well it does, what it belongs to and how it was made."""
    known = {"name", "title", "artist", "licence", "scores", "trunk", "checksum", "kind"}
    made = {key: value for key, value in sorted(style.metadata.items()) if key not in known}
    return {"scores": style.scores, "trunk": style.trunk, "checksum": style.checksum} | made


def described(entry: Entry) -> list[str]:
    """All of a style as aligned lines, the models one after the other."""
    blocks = [{key: value for key, value in listed(entry).items() if key not in ("scores", "models")}]
    blocks += [{"model": model} | told(style) for model, style in entry.models.items()]
    width = max(len(key) for block in blocks for key in block)
    return [
        f"{key:{width}}  {scores_text(value) if isinstance(value, dict) else ' '.join(value.split())}".rstrip()
        for block in blocks
        for key, value in block.items()
    ]


def table(found: list[Entry]) -> list[str]:
    """The list as aligned lines."""
    rows = [("NAME", "TITLE", "ARTIST", "LICENCE", "SCORES", "MODELS")]
    for entry in found:
        style = entry.style
        scores = scores_text({name: style.scores[name] for name in SUMMARY if name in style.scores})
        rows.append((style.name, style.title, style.artist, style.licence, scores, ", ".join(entry.models)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def scores_text(scores: dict[str, float]) -> str:
    """`content 0.87, style 0.75`."""
    return ", ".join(f"{name} {value:.3g}" for name, value in scores.items())
