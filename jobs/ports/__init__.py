"""What other apps know of files and jobs; each port has a registered provider."""
