"""The machine of a synthesis session: text is cut into segments, and audio is handed over once, whatever breaks."""
