"""What the samples are drawn with: noise, land, water, sky, things and sound."""
