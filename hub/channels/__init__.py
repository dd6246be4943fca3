"""The doors: each channel verifies and normalises, and nothing else."""
