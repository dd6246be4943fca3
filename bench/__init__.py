"""How fast the hub is on this machine, always beside a raw INSERT of the same bytes in the same run."""
