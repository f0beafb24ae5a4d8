"""What worker and controller share."""
