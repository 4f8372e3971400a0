"""Pictures as files and as arrays. Nothing here knows TensorFlow."""
