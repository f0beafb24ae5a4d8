"""How large things are, in bytes: one meaning of a megabyte for both sides."""

MEGABYTE = 1_000_000  # of settings (…_MB), of `maxFileMB` and of texts for people
GIGABYTE = 1_000_000_000  # of settings (…_GB) and of texts for people
MEBIBYTE = 1024 * 1024  # of pieces, buffers and limits that nobody sets
