"""The REST API of the mirrored tables, by domain."""
