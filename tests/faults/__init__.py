"""Numbered cases in which a part of the site dies, freezes or lies; see conftest.py."""
