"""That nothing was altered: a Merkle tree over the log, signed checkpoints of it, proofs, and who finds what."""
