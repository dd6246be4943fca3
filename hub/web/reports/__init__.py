"""The head's view: what is late and why, who carries what, and the department's figures of a time."""
