"""Documents on their way back."""
