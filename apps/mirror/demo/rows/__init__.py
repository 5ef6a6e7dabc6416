"""Rows of the made-up lab, table by table, with the columns and shapes that the platform's own writers use."""
