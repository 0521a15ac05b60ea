"""The viewer's page: what one Chromium publishes by WHIP plays in another by WHEP, and nothing else is to be seen."""

from __future__ import annotations

from typing import Any

from tests.browser import far, grab, palette_far, wait_flowing
from tests.processes import Service, wait_for

_PUBLISH = """async name => {
    const stream = await navigator.mediaDevices.getUserMedia({video: true});
    const own = document.body.appendChild(Object.assign(document.createElement("video"), {id: "own", muted: true}));
    own.srcObject = stream;
    await own.play();
    const peer = window.publisher = new RTCPeerConnection();
    peer.addTransceiver(stream.getVideoTracks()[0], {direction: "sendonly"});
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== "complete") await new Promise(done => setTimeout(done, 20));
    const answer = await fetch(`/whip/${name}?style=great_wave`,
        {method: "POST", body: peer.localDescription.sdp, headers: {"Content-Type": "application/sdp"}});
    window.session = answer.headers.get("Location");
    await peer.setRemoteDescription({type: "answer", sdp: await answer.text()});
    return answer.status;
}"""


def publish(visit: Any, service: Service, name: str) -> Any:
    page, _ = visit(service.url)
    assert page.evaluate(_PUBLISH, name) == 201
    return page


def test_plays_a_published_stream(visit: Any, service: Service):
    publisher = publish(visit, service, "studio")
    page, noted = visit(f"{service.url}watch/studio")
    wait_flowing(page, "picture")
    page.wait_for_timeout(1500)
    before, after = grab(publisher, "own"), grab(page, "picture")
    assert far(before, after) > 15 and palette_far(before, after) > 0.3
    assert not page.locator("#notice").is_visible() and noted.errors == []
    box = page.locator("#picture").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1280, 860)
    assert page.title().startswith("studio")


def test_is_linked_from_the_page_while_it_is_on_air(visit: Any, service: Service):
    publish(visit, service, "linked")
    page, _ = visit(service.url)
    page.get_by_role("link", name="linked").click()
    page.wait_for_url("**/watch/linked")
    wait_flowing(page, "picture")


def test_waits_for_a_stream_and_starts_by_itself(visit: Any, service: Service):
    page, _ = visit(f"{service.url}watch/later")
    page.locator('#notice[data-code="not-live"]').wait_for()
    assert "by itself" in page.locator("#notice").inner_text()
    quiet, _ = visit(f"{service.url}watch/later?quiet")
    publisher = publish(visit, service, "later")
    wait_flowing(page, "picture")
    wait_flowing(quiet, "picture")
    assert not quiet.locator("#notice").is_visible() and not quiet.locator("button").first.is_visible()
    publisher.evaluate("fetch(window.session, {method: 'DELETE'}).then(() => window.publisher.close())")
    page.locator('#notice[data-code="not-live"]:not([hidden])').wait_for(timeout=30_000)
    wait_for(lambda: not quiet.locator("#notice").is_visible(), 1, "quiet")
