"""Networks that paint: their shape, training, use and files."""
