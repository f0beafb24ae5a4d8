"""Documents on their way back to the controller."""
