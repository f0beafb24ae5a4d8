"""The composition root: the only package that knows every app. Importing it loads nothing."""
