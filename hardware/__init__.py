"""What a machine is, and what its electricity costs in carbon."""
