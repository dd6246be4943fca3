"""What goes to and fro between the channels and the hub: taking in, polling, fetching, sending, and how each account fares."""
