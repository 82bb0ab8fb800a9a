"""Small tools over trio that know nothing of speech."""
