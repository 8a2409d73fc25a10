"""What the machine itself says of the power it draws; joules are known in here only."""
