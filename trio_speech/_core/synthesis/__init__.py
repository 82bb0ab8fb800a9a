"""The machine of a synthesis session: text in, audio out, resumed in mid-speech."""
