"""Figures, animations, reports: results for people to look at."""
