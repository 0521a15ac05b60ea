"""What training needs and the project does not ship: public photographs and VGG-19, downloaded once.

Everything lands in a cache folder, whole or not at all, and only when its checksum is right; what lies there is used
without a network. An archive decides nothing about where its files go: pictures are recognised by their place in it,
and named here.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamer.caches import cache_folder
from streamer.errors import BadMedia, OutputError

CHUNK = 1 << 18  # bytes
PATIENCE = 30.0  # seconds without a byte
LARGEST_PICTURE = 1 << 26  # bytes
Progress = Callable[[int, int], None]  # bytes there, bytes in all
VGG_IN_WORDS = "the VGG-19 weights"


@dataclass(frozen=True)
class Remote:
    """A file somewhere else: what it must weigh in bytes, and its digest as `sha256:...` or `md5:...`."""

    name: str
    url: str
    size: int
    digest: str


@dataclass(frozen=True)
class Photographs:
    """An archive of photographs. `member` finds them in it; its groups, joined by `_`, become the name of the file."""

    title: str
    archive: Remote
    member: str
    terms: str


# Arbelaez, Maire, Fowlkes and Malik, "Contour Detection and Hierarchical Image Segmentation", PAMI 2011: 500 pictures
# of 481x321 pixels. The university gives no checksum; size and digest are those that others who fetched it publish.
BSDS500 = Photographs(
    "BSDS500",
    Remote(
        "BSDS500",
        "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz",
        70_763_455,
        "sha256:97e49d31764f3912f0c4122707d53062ac9e783ba0f095e447a4d53c1a41af8e",
    ),
    r"BSR/BSDS500/data/images/(train|val|test)/(\d+)\.jpg",
    "free for non-commercial research and education",
)
# As keras.applications.VGG19(include_top=False) takes it; size and MD5 are Keras' own.
VGG19 = Remote(
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    80_134_624,
    "md5:253f8cb515780f3b799900260a226db6",
)


def fetching(doing: Callable[[str, float], None], what: str) -> Progress:
    """A Progress that tells `doing` in words, and how much of it is done."""

    def progress(there: int, whole: int) -> None:
        doing(f"downloading {what}: {there / 1e6:.0f} of {whole / 1e6:.0f} MB", there / whole)

    return progress


def fetch_photographs(progress: Progress, chosen: Photographs = BSDS500) -> Path:
    """The folder of a set of photographs, downloaded if it is not there yet.

    Raises BadMedia when it cannot be had, saying what to do instead, and OutputError when it cannot be kept.
    """
    if (there := find_photographs(chosen)) is not None:
        return there
    folder = _folder_of(chosen)
    instead = "give a folder of photographs of your own with --content DIR"
    with _workplace() as place:
        archive = _download(chosen.archive, Path(place), progress, instead)
        drawn = Path(place) / "drawn"
        try:
            _unpack(archive, drawn, chosen)
        except (tarfile.TarError, EOFError) as error:
            raise BadMedia(f"{chosen.title} is not an archive that can be read ({error}); {instead}.") from error
        _keep(drawn, folder)
    return folder


def fetch_vgg(progress: Progress, wanted: Remote = VGG19) -> Path:
    """The file of VGG-19 weights, from the cache of Streamer or of Keras, or else downloaded.

    Raises BadMedia when it cannot be had, and OutputError when it cannot be kept.
    """
    if (there := find_vgg(wanted)) is not None:
        return there
    path = cache_folder() / wanted.name
    with _workplace() as place:
        _keep(_download(wanted, Path(place), progress, "give a local file with --vgg-weights FILE"), path)
    return path


def find_photographs(chosen: Photographs = BSDS500) -> Path | None:
    """The folder of a set of photographs that was downloaded before."""
    folder = _folder_of(chosen)
    return folder if folder.is_dir() else None


def find_vgg(wanted: Remote = VGG19) -> Path | None:
    """The file of VGG-19 weights that Streamer or Keras has downloaded before."""
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    for there in (cache_folder() / wanted.name, keras_home / "models" / wanted.name):
        if there.is_file() and there.stat().st_size == wanted.size:
            return there
    return None


def _folder_of(chosen: Photographs) -> Path:
    return cache_folder() / f"{chosen.title}-{chosen.archive.digest[-8:]}"


def _workplace() -> tempfile.TemporaryDirectory[str]:
    """A folder beside what will be kept, so that it can be renamed; gone in the end, whatever happens."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=".draft-", dir=cache_folder())
    except OSError as error:
        raise OutputError(f"The cache {cache_folder()} cannot be written: {error.strerror}.") from error


def _keep(draft: Path, path: Path) -> None:
    try:
        draft.rename(path)
    except OSError as error:
        if not path.exists():  # else another process was quicker, and what it kept is as good
            raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


def _download(wanted: Remote, place: Path, progress: Progress, instead: str) -> Path:
    """Fetch a file and compare its size and digest. Raises BadMedia or OutputError."""
    algorithm, digest = wanted.digest.split(":")
    hasher = hashlib.new(algorithm, usedforsecurity=False)
    path = place / "download"
    there = 0
    try:
        request = urllib.request.Request(wanted.url, headers={"User-Agent": "streamer"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer, path.open("wb") as file:
            while there <= wanted.size and (chunk := answer.read(CHUNK)):
                there += len(chunk)
                hasher.update(chunk)
                _write(file.write, chunk, path)
                progress(min(there, wanted.size), wanted.size)
    except OutputError:
        raise
    except (OSError, http.client.HTTPException) as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise BadMedia(f"{wanted.name} could not be downloaded from {wanted.url} ({told}); {instead}.") from error
    if there < wanted.size:
        share = f"{there / 1e6:.1f} of {wanted.size / 1e6:.1f} MB"
        raise BadMedia(f"The download of {wanted.name} broke off after {share}; try again, or {instead}.")
    if there > wanted.size or hasher.hexdigest() != digest:
        raise BadMedia(
            f"What {wanted.url} gave is not the {wanted.name} that is known: its checksum differs; {instead}."
        )
    return path


def _write(write: Callable[[bytes], object], chunk: bytes, path: Path) -> None:
    """Write, and tell trouble with the disk from trouble with the network."""
    try:
        write(chunk)
    except OSError as error:
        raise OutputError(f"The cache {path.parent.parent} cannot be written: {error.strerror}.") from error


def _unpack(archive: Path, folder: Path, chosen: Photographs) -> None:
    """Draw the photographs, and nothing else, from the archive. Raises BadMedia when there are none."""
    folder.mkdir()
    pattern = re.compile(chosen.member)
    with tarfile.open(archive) as members:
        for member in members:
            match = pattern.fullmatch(member.name)
            if not (match and member.isreg() and member.size <= LARGEST_PICTURE):
                continue
            name = "_".join(match.groups()) + Path(member.name).suffix
            source = members.extractfile(member)
            if source is None or Path(name).name != name:
                continue
            try:
                with source, (folder / name).open("wb") as file:
                    shutil.copyfileobj(source, file)
            except OSError as error:
                raise OutputError(f"The cache {cache_folder()} cannot be written: {error.strerror}.") from error
    if not any(folder.iterdir()):
        raise BadMedia(f"There are no photographs in the archive of {chosen.title}.")
