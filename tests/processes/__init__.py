"""The Procfile's processes: real honcho, real supervisors, real children."""
