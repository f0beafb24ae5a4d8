"""The JSON API as a whole: its routers, its errors, its description."""
