"""What all lists of the REST API share: rows as JSON straight from the database, filters, cursors, CSV, pages.

A view set declares its fields, filters and orders (`apps.mirror.rest.views.RowsViewSet`); nothing here knows a table.
"""
