"""The studio: a local page where pictures are painted. No TensorFlow but in its one worker."""
