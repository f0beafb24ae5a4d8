"""The pages of sessions, files and tokens; all work without JavaScript."""
