"""The command line, for this installation and for one elsewhere. No Django: requests and rich are all it needs."""
