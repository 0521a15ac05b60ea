"""FFmpeg's WHIP muxer in a process of its own: python -m tests.whip_publisher URL SECONDS FOLDER."""

from __future__ import annotations

import datetime
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from streamer.bench.live.numbers import background, draw

WIDTH, HEIGHT, FPS = 320, 180, 15


def certificate(folder: Path) -> dict[str, str]:
    """An ECDSA certificate and its key: with the one that FFmpeg makes itself the handshake with aiortc fails."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "publisher")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = {"cert_file": folder / "publisher.pem", "key_file": folder / "publisher.key"}
    files["cert_file"].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files["key_file"].write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return {name: str(path) for name, path in files.items()}


def main() -> None:
    """Publish numbered pictures and a tone, in real time."""
    url, seconds, folder = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    ground = background(HEIGHT, WIDTH)
    with av.open(url, "w", format="whip", options=certificate(folder)) as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", 600_000
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(FPS)}
        audio = container.add_stream("libopus", rate=48_000, layout="stereo")
        began, number, samples = time.monotonic(), 0, 0
        while (elapsed := time.monotonic() - began) < seconds:
            while number / FPS <= elapsed:
                frame = av.VideoFrame.from_ndarray(draw(number, ground), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(video.encode(frame))
                number += 1
            while samples / 48_000 <= elapsed:
                wave = (8000 * np.sin(np.arange(samples, samples + 960) * (2 * np.pi * 440 / 48_000))).astype(np.int16)
                sound = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
                sound.sample_rate, sound.pts, sound.time_base = 48_000, samples, Fraction(1, 48_000)
                container.mux(audio.encode(sound))
                samples += 960
            time.sleep(0.005)
        container.mux(video.encode(None))


if __name__ == "__main__":
    main()
