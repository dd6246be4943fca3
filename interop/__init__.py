"""What other programs make of the hub's exports: `make interop`. Nothing here is a part of the hub or of its tests."""
