"""Streamer repaints video in the style of a picture, steady from frame to frame."""

__version__ = "0.1.0"
