"""`streamer styles upgrade`: styles of an earlier trunk, learnt again on the present one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.chatter import silent_end
from streamer.cli.console import Console, speaks
from streamer.cli.options import takes
from streamer.cli.progress import meter
from streamer.cli.signals import stop_on_signals
from streamer.cli.sources import PATH
from streamer.cli.train import Teller, place_of, show, training_extra
from streamer.errors import BadMedia, Interrupted
from streamer.training_settings import UpgradeOptions

if TYPE_CHECKING:
    from training.recipe import Recipe
    from training.upgrade import Wishes


@click.command(short_help="Learn styles of an earlier network again.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--pictures",
    type=PATH,
    metavar="DIR",
    help="The styles' pictures, as NAME.jpg or NAME.png; default: where they were learnt from.",
)
@click.option(
    "--content",
    type=PATH,
    multiple=True,
    metavar="DIR",
    help="A folder of photographs; repeatable. Default: those that a style was learnt on, else as for `train`.",
)
@takes(options=UpgradeOptions)
@speaks()
def upgrade(
    names: tuple[str, ...], pictures: Path | None, content: tuple[Path, ...], options: UpgradeOptions, console: Console
) -> int:
    """Learn your own styles NAME, or all, again on the network that is the default now.

    A style goes on working on the network that it was made for; learnt again, it can be blended with the shipped ones
    and served beside them. Each replaces its file when it is done; Ctrl-C keeps what was learnt, and the same command
    goes on.
    """
    with stop_on_signals() as stop, training_extra():
        from training.upgrade import Wishes

        wishes = Wishes(pictures, content, options.vgg_weights, options.steps)
        try:
            with meter(console, "styles") as bar:
                written = upgraded(names, wishes, options, console, Teller(console, bar, stop))
        except Interrupted as error:
            console.complain(f"{error} The same command goes on.")
            silent_end()
            return stop.exit_code
    show(console, written)
    return 0


def upgraded(
    names: tuple[str, ...], wishes: Wishes, options: UpgradeOptions, console: Console, teller: Teller
) -> list[Path]:
    """The files that were written; notes say what was left as it is."""
    from streamer.styles import StyleLibrary, user_folder
    from training.upgrade import outdated, recipe_again
    from training.upgrade import upgrade as learn_again

    library = StyleLibrary.default(options.model)
    runs = user_folder().parent / "runs"
    old = outdated(user_folder(), options.model, library.trunk.checksum, names)
    if not old:
        console.note(f"Nothing to do: your styles belong to the {options.model} network's present trunk.")
    recipes: list[Recipe] = []
    for style in old:
        try:
            recipes.append(recipe_again(style, runs, library, wishes))
        except BadMedia as error:
            if names:
                raise
            console.note(f"{error} It stays as it is.")
    place = place_of(None, ())
    return [learn_again(recipe, runs, place, library, teller) for recipe in recipes]
