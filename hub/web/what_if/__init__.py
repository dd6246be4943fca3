"""What a draft of the process would have decided about all past leads."""
