"""Builds styles: losses, data and the trainer. Of `streamer` it imports only what lies below the engine."""
