"""Leads in and out as tables: bringing a file in with its columns told, taking a filter's leads away."""
