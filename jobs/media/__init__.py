"""What the controller finds out about recordings, and how browsers play them."""
