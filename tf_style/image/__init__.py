"""Pictures as files and as arrays. Nothing here uses TensorFlow."""
