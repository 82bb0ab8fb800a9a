"""The state machine of a synthesis session: text goes in, and its audio comes out once, even if connections are lost.

The terms of this room:

    segment       a piece of text, most often one sentence, that is asked for in one request
    rendition     the audio and words that one request has brought; a segment has several where a connection was lost
    released      audio that may be handed to the user: see `rendition`
    handed over   audio that the user has taken by iteration: see `playback_ledger`
    torn          handed over, and replaced by audio that begins before it: see `resume`
    aligned       (of a word) the service has told its times in the audio
    generation    one request and all messages that answer it
"""
