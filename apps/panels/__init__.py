"""The panel engine: dashboard JSON, a time range and variables in; frames and what to draw out. It knows no model."""
