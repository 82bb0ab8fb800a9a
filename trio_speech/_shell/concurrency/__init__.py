"""Small tools on top of trio that know nothing of speech."""
