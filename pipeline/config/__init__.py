"""What the worker is told: environment variables, the destinations file, secrets by name. All faults at once."""
