"""The loop that runs what is due."""
