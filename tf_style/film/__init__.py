"""Films: frames in and out, what moves from one to the next, and frames that are painted alike."""
