"""The process page: the file in force, drawn with its live numbers."""
