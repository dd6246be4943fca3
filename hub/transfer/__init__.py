"""The whole hub from one place to another: from SQLite to PostgreSQL and back, into a backup and out of it."""
