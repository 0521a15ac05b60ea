"""The Gradio demo: pictures, webcam and clips, for whoever has a link."""
