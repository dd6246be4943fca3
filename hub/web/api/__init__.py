"""The API for other programs, under ``/api/v1``: everything that the pages can, with bearer tokens."""
