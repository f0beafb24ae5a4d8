"""Files coming in, whole or piece by piece."""
