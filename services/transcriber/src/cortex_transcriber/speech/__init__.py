"""What is known about speech without any technology: frames, cuts, segments, and the ports of the models."""
