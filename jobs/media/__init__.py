"""Analysis of recordings, and playback in browsers."""
