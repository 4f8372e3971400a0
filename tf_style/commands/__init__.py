"""What the console scripts do: one command a file."""
