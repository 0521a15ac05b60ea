"""Photographs and VGG-19 from a server: a real one, on this machine."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import pytest

from streamer.caches import cache_folder
from streamer.errors import BadMedia, Interrupted, OutputError
from tests import tiny
from training.download import BSDS500, VGG19, Photographs, Remote, fetch_photographs, fetch_vgg

MEMBER = r"data/(train|val)/(\w+)\.jpg"


@dataclass
class Server:
    """What it serves by path, how many bytes of it before it hangs up, and what it was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    hangs_up_after: int | None = None
    asked: list[str] = field(default_factory=list)

    def remote(self, name: str, data: bytes) -> Remote:
        self.files[f"/{name}"] = data
        return Remote(name, f"{self.address}/{name}", len(data), f"sha256:{hashlib.sha256(data).hexdigest()}")


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            if self.path not in state.files:
                self.send_error(404)
                return
            data = state.files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: state.hangs_up_after])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.address = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield state
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache" / "streamer"


def picture_file() -> bytes:
    return bytes(cv2.imencode(".jpg", tiny.picture(32, 32))[1])


def archive(members: dict[str, bytes], link: str = "") -> bytes:
    """A .tgz of files, and of a link to a place of the machine under the name `link`."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as written:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            written.addfile(entry, io.BytesIO(data))
        if link:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            written.addfile(entry)
    return held.getvalue()


def photographs(server: Server, members: dict[str, bytes] | None = None, link: str = "") -> Photographs:
    data = archive(members or {"data/train/12.jpg": picture_file(), "data/val/7.jpg": picture_file()}, link)
    return Photographs("Set", server.remote("set.tgz", data), MEMBER, "for tests")


def silent(there: int, whole: int) -> None:
    pass


def test_photographs_arrive_with_progress_and_are_named_by_their_part(server: Server, cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    chosen = photographs(server)
    folder = fetch_photographs(lambda there, whole: seen.append((there, whole)), chosen)
    assert sorted(path.name for path in folder.iterdir()) == ["train_12.jpg", "val_7.jpg"]
    assert cv2.imread(str(folder / "val_7.jpg")).shape == (32, 32, 3)
    assert seen[-1] == (chosen.archive.size, chosen.archive.size)
    assert list(cache.iterdir()) == [folder]  # the archive and drafts are gone


def test_the_second_call_asks_nobody(server: Server) -> None:
    chosen = photographs(server)
    first = fetch_photographs(silent, chosen)
    assert fetch_photographs(silent, chosen) == first
    assert server.asked == ["/set.tgz"]


def test_another_archive_of_the_same_name_has_a_place_of_its_own(server: Server) -> None:
    first = fetch_photographs(silent, photographs(server))
    second = fetch_photographs(silent, photographs(server, {"data/train/9.jpg": picture_file()}))
    assert first != second


def test_a_wrong_checksum_leaves_nothing(server: Server, cache: Path) -> None:
    chosen = photographs(server)
    data = server.files["/set.tgz"]
    server.files["/set.tgz"] = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(BadMedia, match=r"is not the set.tgz that is known: its checksum differs; give a folder"):
        fetch_photographs(silent, chosen)
    assert not any(cache.iterdir())


def test_a_file_that_does_not_end_is_not_read_to_its_end(server: Server, cache: Path) -> None:
    chosen = photographs(server)
    server.files["/set.tgz"] += bytes(1 << 22)
    most: list[int] = []
    with pytest.raises(BadMedia, match="its checksum differs"):
        fetch_photographs(lambda there, whole: most.append(there), chosen)
    assert max(most) == chosen.archive.size
    assert not any(cache.iterdir())


def test_a_download_that_breaks_off_says_so_and_succeeds_later(server: Server, cache: Path) -> None:
    chosen = photographs(server)
    server.hangs_up_after = 200
    with pytest.raises(BadMedia, match=r"broke off after 0.0 of 0.0 MB; try again, or give a folder"):
        fetch_photographs(silent, chosen)
    assert not any(cache.iterdir())
    server.hangs_up_after = None
    assert len(list(fetch_photographs(silent, chosen).iterdir())) == 2


def test_no_server_and_no_file_there_say_what_to_do_instead(server: Server) -> None:
    chosen = photographs(server)
    del server.files["/set.tgz"]
    with pytest.raises(
        BadMedia, match=r"could not be downloaded from http.*404.*; give a folder .* with --content DIR\."
    ):
        fetch_photographs(silent, chosen)
    nobody = replace(chosen, archive=replace(chosen.archive, url="http://127.0.0.1:9/set.tgz"))
    with pytest.raises(BadMedia, match=r"could not be downloaded .*; give a folder .* with --content DIR\."):
        fetch_photographs(silent, nobody)


def test_an_archive_cannot_put_files_elsewhere(server: Server, cache: Path, tmp_path: Path) -> None:
    evil = picture_file()
    members = {
        "../data/train/1.jpg": evil,
        "/data/train/2.jpg": evil,
        "data/train/../../../3.jpg": evil,
        "data/train/4.jpg": evil,
    }
    folder = fetch_photographs(silent, photographs(server, members, link="data/train/5.jpg"))
    assert [path.name for path in folder.iterdir()] == ["train_4.jpg"]
    assert list(tmp_path.rglob("*.jpg")) == [folder / "train_4.jpg"]


def test_names_from_an_archive_stay_names_even_if_a_pattern_lets_slashes_through(
    server: Server, tmp_path: Path
) -> None:
    members = {"x/../../../evil.jpg": picture_file(), "x/good.jpg": picture_file()}
    chosen = replace(photographs(server, members), member=r"x/(.+)\.jpg")
    folder = fetch_photographs(silent, chosen)
    assert list(tmp_path.rglob("*.jpg")) == [folder / "good.jpg"]


def test_an_archive_without_photographs_and_a_file_that_is_no_archive_are_refused(server: Server, cache: Path) -> None:
    with pytest.raises(BadMedia, match="no photographs in the archive of Set"):
        fetch_photographs(silent, photographs(server, {"readme.txt": b"nothing"}))
    chosen = photographs(server)
    with pytest.raises(BadMedia, match="Set is not an archive that can be read"):
        fetch_photographs(silent, replace(chosen, archive=server.remote("set.tgz", b"plain text")))
    assert not any(cache.iterdir())


def test_whoever_watches_may_stop_a_download(server: Server, cache: Path) -> None:
    def stop(there: int, whole: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        fetch_photographs(stop, photographs(server))
    assert not any(cache.iterdir())


def test_a_cache_that_cannot_be_written_is_said(server: Server, cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="The cache .* cannot be written"):
        fetch_photographs(silent, photographs(server))


def test_vgg_weights_are_kept_too(server: Server, cache: Path) -> None:
    wanted = server.remote("vgg.h5", b"weights")
    path = fetch_vgg(silent, wanted)
    assert path == cache / "vgg.h5" and path.read_bytes() == b"weights"
    assert fetch_vgg(silent, wanted) == path
    assert server.asked == ["/vgg.h5"]


def test_vgg_weights_that_keras_has_are_used(server: Server, tmp_path: Path) -> None:
    there = tmp_path / "keras" / "models" / "vgg.h5"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"weights")
    assert fetch_vgg(silent, server.remote("vgg.h5", b"weights")) == there
    assert not server.asked


def test_md5_serves_where_its_publisher_gives_no_better(server: Server) -> None:
    data = b"weights"
    wanted = replace(server.remote("vgg.h5", data), digest=f"md5:{hashlib.md5(data).hexdigest()}")
    assert fetch_vgg(silent, wanted).read_bytes() == data
    server.files["/vgg.h5"] = b"Weights"
    with pytest.raises(BadMedia, match="give a local file with --vgg-weights FILE"):
        fetch_vgg(silent, replace(wanted, name="other.h5"))


def test_vgg_is_the_file_that_keras_names() -> None:
    from keras.src.applications import vgg19

    assert VGG19.url == vgg19.WEIGHTS_PATH_NO_TOP


def test_the_set_and_the_cache_are_where_the_documentation_says(cache: Path) -> None:
    told = Path("docs/training.md").read_text()
    assert cache_folder() == cache
    assert BSDS500.archive.url in told and BSDS500.archive.digest.removeprefix("sha256:") in told
