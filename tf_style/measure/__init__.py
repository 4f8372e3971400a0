"""How good a picture is, and why."""
