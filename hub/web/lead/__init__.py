"""The lead card, where managers live: its pages, and every command as a form in its place."""
