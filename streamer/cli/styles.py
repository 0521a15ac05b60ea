"""`streamer styles`: what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from streamer.cli.console import EXIT_FAILED, Console, speaks

if TYPE_CHECKING:
    from streamer.styles import Style


@click.group(invoke_without_command=True, short_help="List the styles, or tell all of one.")
@click.pass_context
@speaks(progress=False)
def styles(context: click.Context, console: Console) -> int:
    """List the styles; `streamer styles show NAME` tells all of one."""
    if context.invoked_subcommand:
        return 0
    from streamer.errors import BadStyle
    from streamer.styles import StyleLibrary

    library = StyleLibrary.default()
    found: list[Style] = []
    damaged = 0
    for name in library.names():
        try:
            found.append(library.get(name))
        except BadStyle as error:
            damaged = console.fail(error)
    if console.as_json:
        console.result({"styles": [listed(style) for style in found]})
    for line in table(found):
        console.say(line)
    return EXIT_FAILED if damaged else 0


@styles.command()
@click.argument("name")
@speaks(progress=False)
def show(name: str, console: Console) -> int:
    """Tell all that is known of one style."""
    from streamer.styles import StyleLibrary

    style = StyleLibrary.default().get(name)
    facts = listed(style) | {"trunk": style.trunk, "checksum": style.checksum} | made(style)
    if console.as_json:
        console.result(facts)
    width = max(map(len, facts))
    for key, value in facts.items():
        console.say(f"{key:{width}}  {scores_text(value) if isinstance(value, dict) else value}")
    return 0


def listed(style: Style) -> dict[str, Any]:
    """What the list tells of a style."""
    return {
        "name": style.name,
        "title": style.title,
        "artist": style.artist,
        "licence": style.licence,
        "scores": style.scores,
    }


def made(style: Style) -> dict[str, Any]:
    """How a style was made: what its file says beyond the facts that every style has."""
    known = {*listed(style), "trunk", "checksum", "kind"}
    return {key: value for key, value in sorted(style.metadata.items()) if key not in known}


def table(found: list[Style]) -> list[str]:
    """The list as aligned lines."""
    rows = [(style.name, style.title, style.artist, style.licence, scores_text(style.scores)) for style in found]
    rows.insert(0, ("NAME", "TITLE", "ARTIST", "LICENCE", "SCORES"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def scores_text(scores: dict[str, float]) -> str:
    """`content 0.87, style 0.75`."""
    return ", ".join(f"{name} {value:.3g}" for name, value in scores.items())
