"""What comes along with the video: sound, subtitles, chapters, metadata, covers, and how the pixels are to be shown."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from streamer.media import Selection, VideoReader
from tests import media_probe as probe
from tests.media_clips import Clip, Cues, Identity, Sound
from tests.media_run import restyle

TWO_SOUNDS = [Sound("aac", (0.25,), "eng"), Sound("aac", (0.75,), "deu")]


def streams(path: Path, kind: str) -> list[dict[str, Any]]:
    return [stream for stream in probe.facts(path)["streams"] if stream["type"] == kind]


def sentences(report: Any, *words: str) -> list[str]:
    return [notice for notice in report.notices if all(word in notice for word in words)]


class TestSound:
    @pytest.mark.parametrize(
        ("ending", "out"), [("mp4", "mp4"), ("mp4", "mov"), ("mp4", "mkv"), ("mkv", "mp4"), ("mkv", "mkv")]
    )
    def test_every_stream_is_copied_byte_for_byte(self, tmp_path: Path, ending: str, out: str) -> None:
        source = Clip(sounds=TWO_SOUNDS).write(tmp_path / f"in.{ending}")
        report = restyle(source, tmp_path / f"out.{out}")
        assert not sentences(report, "stream")
        for index in (0, 1):
            before, after = (probe.packets(path, "audio", index) for path in (source, tmp_path / f"out.{out}"))
            assert [data for _, data in after] == [data for _, data in before]
            limit = 0.0015 if "mkv" in (ending, out) else 0
            assert max(abs(a - b) for (a, _), (b, _) in zip(before, after, strict=True)) <= limit
        languages = [stream["metadata"]["language"] for stream in streams(tmp_path / f"out.{out}", "audio")]
        assert languages in (["eng", "deu"], ["eng", "ger"])  # the latter is QuickTime's word for it

    @pytest.mark.parametrize("codec", ["aac", "mp2", "flac", "pcm_s16le", "ac3"])
    def test_is_encoded_again_where_the_container_cannot_hold_it(self, tmp_path: Path, codec: str) -> None:
        source = Clip(sounds=[Sound(codec, (0.5,), "fra")]).write(tmp_path / "in.mkv")
        report = restyle(source, tmp_path / "out.webm", preset="ultrafast")
        assert sentences(report, codec, "opus")
        (stream,) = streams(tmp_path / "out.webm", "audio")
        assert (stream["codec"], stream["metadata"]["language"]) == ("opus", "fra")
        assert probe.beeps(tmp_path / "out.webm") == pytest.approx(probe.beeps(source), abs=0.004)

    def test_a_late_sound_stays_late(self, tmp_path: Path) -> None:
        source = Clip(sounds=[Sound("flac", (0.8,), start=0.5)]).write(tmp_path / "in.mkv")
        restyle(source, tmp_path / "out.webm", preset="ultrafast")
        assert probe.beeps(tmp_path / "out.webm") == pytest.approx([0.8], abs=0.004)

    def test_adts_from_a_broadcast_goes_into_mp4(self, tmp_path: Path) -> None:
        source = Clip(sounds=[Sound("aac")]).write(tmp_path / "in.ts")
        restyle(source, tmp_path / "out.mp4")
        assert probe.beeps(tmp_path / "out.mp4") == pytest.approx(probe.beeps(source), abs=0.001)
        assert len(probe.packets(tmp_path / "out.mp4", "audio")) == len(probe.packets(source, "audio"))

    def test_gif_has_none_and_says_so(self, tmp_path: Path) -> None:
        report = restyle(Clip(sounds=TWO_SOUNDS).write(tmp_path / "in.mp4"), tmp_path / "out.gif")
        assert len(sentences(report, "Audio", "GIF")) == 2


class TestSubtitles:
    CUES = ((0.2, 0.6, "first"), (0.7, 0.9, "second"))

    @pytest.mark.parametrize(
        ("codec", "ending", "out"),
        [
            ("mov_text", "mp4", "mp4"),
            ("mov_text", "mp4", "mov"),
            ("subrip", "mkv", "mkv"),
            ("ass", "mkv", "mkv"),
            ("webvtt", "webm", "webm"),
            ("webvtt", "mkv", "mkv"),
        ],
    )
    def test_are_copied_where_the_container_allows(self, tmp_path: Path, codec: str, ending: str, out: str) -> None:
        clip = Clip(cues=[Cues(codec, self.CUES, "eng"), Cues(codec, self.CUES[:1], "deu")])
        if ending == "webm":
            clip.codec, clip.options = "libvpx-vp9", {}
        source = clip.write(tmp_path / f"in.{ending}")
        report = restyle(source, tmp_path / f"out.{out}")
        assert not sentences(report, "stream")
        for index in (0, 1):
            before, after = (probe.packets(path, "subtitle", index) for path in (source, tmp_path / f"out.{out}"))
            assert after == before
            assert probe.cues(tmp_path / f"out.{out}", index) == probe.cues(source, index)

    @pytest.mark.parametrize(
        ("codec", "ending", "out", "becomes"),
        [
            ("subrip", "mkv", "mp4", "mov_text"),
            ("ass", "mkv", "mp4", "mov_text"),
            ("ass", "mkv", "webm", "webvtt"),
            ("webvtt", "mkv", "mov", "mov_text"),
            ("mov_text", "mp4", "mkv", "subrip"),
            ("mov_text", "mp4", "webm", "webvtt"),
        ],
    )
    def test_are_converted_elsewhere(self, tmp_path: Path, codec: str, ending: str, out: str, becomes: str) -> None:
        source = Clip(cues=[Cues(codec, self.CUES, "eng")]).write(tmp_path / f"in.{ending}")
        report = restyle(source, tmp_path / f"out.{out}", preset="ultrafast")
        assert sentences(report, "Subtitle", becomes)
        found = probe.cues(tmp_path / f"out.{out}")
        assert [(round(begin, 3), round(end, 3), text) for begin, end, text in found] == list(self.CUES)
        assert streams(tmp_path / f"out.{out}", "subtitle")[0]["metadata"]["language"] == "eng"

    def test_pictures_cannot_become_text(self, tmp_path: Path) -> None:
        source = with_bitmap_subtitle(tmp_path / "in.mkv")
        report = restyle(source, tmp_path / "out.webm", preset="ultrafast")
        assert sentences(report, "Subtitle", "left out")
        restyle(source, tmp_path / "out.mkv")
        assert probe.packets(tmp_path / "out.mkv", "subtitle") == probe.packets(source, "subtitle")


def with_bitmap_subtitle(path: Path) -> Path:
    """A clip with a subtitle stream of pictures, of which nobody looks inside."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=30)
        video.width, video.height = 64, 48
        subtitles: Any = output.add_mux_stream("hdmv_pgs_subtitle", time_base=Fraction(1, 1000))
        for index in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 100, np.uint8))
            frame.pts, frame.time_base = index, Fraction(1, 30)
            output.mux(video.encode(frame))
        packet: Any = av.Packet(b"\x16\x00\x00\x00")
        packet.stream, packet.pts, packet.dts, packet.time_base = subtitles, 100, 100, Fraction(1, 1000)
        output.mux(packet)
        output.mux(video.encode(None))
    return path


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_chapters_and_metadata(tmp_path: Path, ending: str) -> None:
    chapters = [(0, 0.4, "one"), (0.4, 1, "two")]
    metadata = {"title": "A film", "artist": "Somebody", "comment": "So so", "copyright": "CC0"}
    clip = Clip(chapters=chapters, metadata=metadata, video_metadata={"language": "jpn"})
    restyle(clip.write(tmp_path / "in.mkv"), tmp_path / f"out.{ending}", preset="ultrafast")
    facts = probe.facts(tmp_path / f"out.{ending}")
    found = [(float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"])) for c in facts["chapters"]]
    assert found == [pytest.approx(chapter[:2]) for chapter in chapters]
    assert [chapter["metadata"]["title"] for chapter in facts["chapters"]] == ["one", "two"]
    assert {key.lower(): value for key, value in facts["metadata"].items()}.items() >= metadata.items()
    assert facts["streams"][0]["metadata"]["language"] == "jpn"


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_unusual_metadata_is_kept_too(tmp_path: Path, ending: str) -> None:
    metadata = {"title": "A film", "com.apple.quicktime.model": "Telephone 3", "mood": "fine"}
    clip = Clip(metadata=metadata, container_options={"movflags": "use_metadata_tags"})
    restyle(clip.write(tmp_path / "in.mp4"), tmp_path / f"out.{ending}")
    found = {key.lower(): value for key, value in probe.facts(tmp_path / f"out.{ending}")["metadata"].items()}
    assert found.items() >= metadata.items()


def test_dispositions_are_kept(tmp_path: Path) -> None:
    forced = int(av.stream.Disposition.forced)
    source = Clip(cues=[Cues("subrip", disposition=forced), Cues("subrip")]).write(tmp_path / "in.mkv")
    restyle(source, tmp_path / "out.mkv")
    kept = [stream["disposition"] for stream in streams(tmp_path / "out.mkv", "subtitle")]
    assert kept == [stream["disposition"] for stream in streams(source, "subtitle")]
    assert kept[0] & forced


def png() -> bytes:
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width = encoder.height = 40
    encoder.pix_fmt, encoder.time_base = "rgb24", Fraction(1, 25)
    picture = av.VideoFrame.from_ndarray(np.full((40, 40, 3), 90, np.uint8))
    picture.pts = 0
    return b"".join(bytes(packet) for packet in encoder.encode(picture))


@pytest.mark.parametrize("out", ["mp4", "mkv"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_cover_pictures_are_kept(tmp_path: Path, ending: str, out: str) -> None:
    cover, source = png(), tmp_path / f"in.{ending}"
    with av.open(str(source), "w") as output:
        video = output.add_stream("libx264", rate=30)
        video.width, video.height = 64, 48
        if ending == "mkv":
            output.add_attachment("cover.png", "image/png", cover)
        else:
            covers: Any = output.add_mux_stream("png", width=40, height=40)
            covers.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 100, np.uint8))
        output.mux([*video.encode(frame), *video.encode(None)])
        if ending == "mp4":
            packet: Any = av.Packet(cover)
            packet.stream, packet.pts, packet.dts, packet.time_base = covers, 0, 0, Fraction(1, 30)
            output.mux(packet)
    assert restyle(source, tmp_path / f"out.{out}").frames == 1
    assert [data for _, data in probe.packets(tmp_path / f"out.{out}", "video", 1)] == [cover]


def test_fonts_stay_with_the_subtitles_that_need_them(tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as output:
        video = output.add_stream("libx264", rate=30)
        video.width, video.height = 64, 48
        output.add_attachment("letters.ttf", "font/ttf", b"not really a font")
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 100, np.uint8))
        output.mux([*video.encode(frame), *video.encode(None)])
    restyle(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        font: Any = next(stream for stream in container.streams if stream.type == "attachment")
        assert (font.name, font.data) == ("letters.ttf", b"not really a font")


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "webm"])
def test_sample_aspect_ratio(tmp_path: Path, ending: str) -> None:
    source = Clip(72, 48, aspect=Fraction(4, 3), sounds=[Sound()]).write(tmp_path / "in.mp4")
    restyle(source, tmp_path / f"out.{ending}", preset="ultrafast")
    assert probe.video_facts(tmp_path / f"out.{ending}")["aspect"] == Fraction(4, 3)
    assert len(probe.times(tmp_path / f"out.{ending}")) == 30
    assert probe.beeps(tmp_path / f"out.{ending}") == pytest.approx([0.5], abs=0.002)


@pytest.mark.parametrize(("size", "aspect"), [("0.5x", 1), ("24p", 1), ("48x48", Fraction(4, 3))])
def test_resizing_keeps_the_displayed_shape(tmp_path: Path, size: str, aspect: Fraction) -> None:
    with VideoReader(str(Clip().write(tmp_path / "in.mp4")), Selection(size)) as reader:
        assert (reader.sample_aspect_ratio or 1) == aspect
        frame = next(iter(reader))
    assert frame.pixels.shape == (reader.height, reader.width, 3)


class TestRotation:
    """The note on how to turn the picture is carried out, and not passed on."""

    @staticmethod
    def corner(index: int, width: int, height: int) -> np.ndarray:
        picture = np.full((height, width, 3), 60, np.uint8)
        picture[: height // 4, : width // 4] = 220
        return picture

    @pytest.mark.parametrize("mirrored", [False, True])
    @pytest.mark.parametrize("degrees", [0, 90, 180, 270])
    def test_styles_and_players_see_upright_pictures(self, tmp_path: Path, degrees: int, mirrored: bool) -> None:
        clip = Clip(picture=self.corner, rotation=(degrees, mirrored, False), aspect=Fraction(4, 3), ticks=[0, 512])
        source = clip.write(tmp_path / "in.mp4")
        upright = np.rot90(self.corner(0, 64, 48), degrees // 90)
        upright = upright[:, ::-1] if mirrored else upright
        style = Identity()
        report = restyle(source, tmp_path / "out.mp4", style)
        assert style.seen[0].shape == upright.shape
        assert np.abs(style.seen[0].astype(int) - upright).max() <= 30
        assert np.abs(style.seen[0].astype(int) - upright).mean() <= 3
        facts = probe.video_facts(tmp_path / "out.mp4")
        assert facts["size"] == (report.width, report.height) == upright.shape[1::-1]
        assert facts["rotation"] == 0
        assert facts["aspect"] == (Fraction(3, 4) if degrees in (90, 270) else Fraction(4, 3))

    def test_size_means_the_upright_picture(self, tmp_path: Path) -> None:
        source = Clip(rotation=(90, False, False), ticks=[0]).write(tmp_path / "in.mp4")
        report = restyle(source, tmp_path / "out.mp4", size="24x32")
        assert (report.width, report.height) == (24, 32)
