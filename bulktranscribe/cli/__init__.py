"""The command line for local and remote servers. Needs only requests and rich, no Django."""
