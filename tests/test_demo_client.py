"""The demo's endpoints as scripts use them, and what strangers try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError  # type: ignore[import-untyped]
from PIL import Image

from tests.browser import SAMPLE, far, read_picture
from tests.demo_files import write_bomb, write_clip, write_photo, write_text
from tests.processes import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A page with small limits, which also offers its endpoints as tools."""
    running = Demo(
        tmp_path_factory.mktemp("own"), "--max-duration", "3", "--max-upload", "2", "--max-megapixels", "4", "--mcp"
    )
    yield running
    running.stop()


@pytest.fixture(scope="module")
def client(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    connected = Client(demo.url, verbose=False, download_files=str(tmp_path_factory.mktemp("fetched")))
    yield connected
    connected.close()


def test_the_named_endpoints_are_these_and_say_what_they_take(client: Client) -> None:
    known: Any = client.view_api(return_format="dict", print_info=False)
    assert not known["unnamed_endpoints"]
    assert set(known["named_endpoints"]) == {"/stylize_image", "/stylize_video", "/list_styles"}
    picture = known["named_endpoints"]["/stylize_image"]["parameters"]
    assert [each["parameter_name"] for each in picture] == ["picture", "style", "strength", "preserve_color", "size"]
    assert [each["python_type"]["type"] for each in picture] == ["filepath", "str", "float", "bool", "str"]
    (styles,) = known["named_endpoints"]["/list_styles"]["returns"]
    assert styles["label"] == "Styles" and "list" in styles["python_type"]["type"]
    clip = known["named_endpoints"]["/stylize_video"]["parameters"]
    assert [each["parameter_name"] for each in clip][:2] == ["clip", "style"]
    assert not any(each["parameter_has_default"] for each in (picture[0], clip[0]))


def test_list_styles_tells_of_all(client: Client) -> None:
    styles = client.predict(api_name="/list_styles")
    assert len(styles) >= 12
    wave = next(style for style in styles if style["name"] == "great_wave")
    assert wave["artist"].startswith("Katsushika Hokusai") and wave["scores"]["style"] > 0


def test_a_picture_comes_back_painted_in_full_with_its_style_in_its_name(client: Client, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "my photo.jpg", 500, 301)
    result = Path(client.predict(handle_file(photo), "great_wave", api_name="/stylize_image"))
    assert result.name == "my photo.great_wave.jpg"
    with Image.open(result) as image:
        assert image.size == (500, 301)
    assert far(read_picture(photo.read_bytes()), read_picture(result.read_bytes())) > 10


def test_the_look_and_the_size_are_heard(client: Client, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.png", 320, 200)
    same = client.predict(handle_file(photo), "mosaic", 0.0, api_name="/stylize_image")
    assert far(read_picture(photo.read_bytes()), read_picture(Path(same).read_bytes())) == 0
    small = client.predict(handle_file(photo), "mosaic:0.5,great_wave:0.5", size="100p", api_name="/stylize_image")
    assert Path(small).name == "photo.mosaic+great_wave.png"
    with Image.open(small) as image:
        assert image.size == (160, 100)


def test_a_clip_comes_back_painted_and_trimmed_with_its_sound(client: Client) -> None:
    result = client.predict(handle_file(SAMPLE), "mosaic", start=1.0, seconds=0.5, api_name="/stylize_video")
    assert Path(result).name == "sample.mosaic.mp4"
    with av.open(result) as painted, av.open(str(SAMPLE)) as original:
        rate = float(original.streams.video[0].average_rate or 0)
        frames = sum(1 for _ in painted.decode(video=0))
        assert abs(frames - rate / 2) <= 1
        assert len(painted.streams.audio) == len(original.streams.audio) == 1


REFUSED: dict[str, tuple[Any, str, str]] = {  # what is sent, to which endpoint, and what is said of it
    "a bomb": (lambda folder: write_bomb(folder / "bomb.png"), "/stylize_image", "at most 4 million pixels.*900.0"),
    "a text": (lambda folder: write_text(folder / "text.jpg"), "/stylize_image", "text.jpg is not a picture"),
    "a text as clip": (lambda folder: write_text(folder / "text.mp4"), "/stylize_video", "text.mp4"),
    "a long clip": (lambda folder: write_clip(folder / "long.mp4", 4), "/stylize_video", "at most 3 s.*4.0 s"),
    "a picture as clip": (lambda folder: write_photo(folder / "p.jpg", 64, 64), "/stylize_video", "p.jpg"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_beyond_the_limits_is_refused_in_a_sentence(client: Client, tmp_path: Path, what: str) -> None:
    write, endpoint, said = REFUSED[what]
    with pytest.raises(AppError, match=said) as refusal:
        client.predict(handle_file(write(tmp_path)), "mosaic", api_name=endpoint)
    assert "/tmp" not in str(refusal.value) and "Traceback" not in str(refusal.value)


def test_an_unknown_style_names_the_known(client: Client, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.jpg", 64, 64)
    with pytest.raises(AppError, match="no style 'mosaik'. Did you mean mosaic\\?"):
        client.predict(handle_file(photo), "mosaik", api_name="/stylize_image")
    with pytest.raises(AppError, match="Value 2 is greater than maximum value 1"):
        client.predict(handle_file(photo), "mosaic", 2, api_name="/stylize_image")


def test_a_part_of_a_long_clip_is_taken(client: Client, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "long.mp4", 5)
    result = client.predict(handle_file(clip), "mosaic", start=4.0, seconds=0.6, api_name="/stylize_video")
    with av.open(result) as painted:
        assert sum(1 for _ in painted.decode(video=0)) == 6


def called(demo: Demo, name: str, data: list[Any]) -> str:
    """The events of a raw call, as a script without gradio_client makes it."""
    begun = demo.post(f"/gradio_api/call/{name}", json={"data": data})
    assert begun.status_code == 200, begun.text
    return demo.get(f"/gradio_api/call/{name}/{begun.json()['event_id']}").text


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/../etc/hostname", str(SAMPLE)])
def test_a_file_of_the_machine_cannot_be_named_as_an_upload(demo: Demo, path: str) -> None:
    for name in ("stylize_image", "stylize_video"):
        answer = called(demo, name, [{"path": path, "meta": {"_type": "gradio.FileData"}}, "mosaic", 1, False, "", 0])
        assert "event: error" in answer and "event: complete" not in answer


@pytest.mark.parametrize(
    "path", ["file=/etc/passwd", "file=/proc/self/environ", "file=../../etc/passwd", "file=pyproject.toml"]
)
def test_no_file_but_the_pages_own_is_given_out(demo: Demo, path: str) -> None:
    assert demo.get(f"/gradio_api/{path}").status_code in (403, 404)


ELSEWHERE = [
    "/gradio_api/proxy=http://example.org/",
    "/gradio_api/file=http://example.org/",
    "/gradio_api/run-history/buckets",
    "/gradio_api/vibe-code",
    "/gradio_api/custom_component/a/client/component/x",
    "/gradio_api/deep_link",
    "/monitoring",
    "/login",
    "/docs",
    "/openapi.json",
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_what_our_page_does_not_use_is_not_there(demo: Demo, path: str) -> None:
    answer = demo.get(path)
    assert answer.status_code == 404 and answer.json() == {"error": "There is nothing at this address."}


def test_recording_and_editing_cannot_be_posted_to(demo: Demo) -> None:
    for path in ("process_recording", "vibe-edit", "component_server"):
        assert demo.post(f"/gradio_api/{path}", json={}).status_code == 404


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(demo: Demo) -> None:
    answer = demo.post("/gradio_api/upload", files={"files": ("big.png", bytes(3 << 20))})
    assert answer.status_code == 413 and "at most 2 MiB" in answer.text


def test_another_sites_name_for_this_machine_is_refused(demo: Demo) -> None:
    answer = demo.get("/", headers={"Host": "attacker.example"})
    assert answer.status_code == 403 and "this machine" in answer.text


def test_the_page_may_load_nothing_from_elsewhere(demo: Demo) -> None:
    policy = demo.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http" not in policy


def test_language_models_find_the_endpoints_as_tools(demo: Demo) -> None:
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def names() -> set[str]:
        address = f"{demo.url}gradio_api/mcp/"
        async with streamable_http_client(address) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            assert all("style" in (tool.description or "") for tool in tools)
            lister = next(tool.name for tool in tools if tool.name.endswith("list_styles"))
            answer = await session.call_tool(lister, {})
            assert "great_wave" in str(answer.content)
            return {tool.name for tool in tools}

    found = asyncio.run(names())
    for wanted in ("stylize_image", "stylize_video", "list_styles"):
        assert any(name.endswith(wanted) for name in found), found
