"""The machine of a recognition session: audio in, transcripts out, over any number of links."""
