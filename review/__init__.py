"""What people do with a transcript."""
