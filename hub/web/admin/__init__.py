"""Settings: people, forms, partners, letters, the quarantine."""
