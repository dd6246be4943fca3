"""Who must do what now: the board, the list, my day, search, notices."""
