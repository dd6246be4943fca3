"""The sales process as code: events, the lead, the process file. No clock, no I/O, no randomness."""
