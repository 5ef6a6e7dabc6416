"""Field configuration."""
