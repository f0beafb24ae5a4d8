"""Which file goes next, to which worker, and how long that will take."""
