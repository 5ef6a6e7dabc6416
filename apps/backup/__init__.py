"""One file that holds what the portal keeps, and the way back."""
