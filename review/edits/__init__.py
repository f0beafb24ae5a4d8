"""The vocabulary of edits; pure: no database, no clock."""
