"""The state machine of a recognition session: audio goes in and transcripts come out, over any number of connections.

The terms of this room:

    stream       all audio of one session; positions in it count whole samples
    link         one connection to the service; a session has one at a time, and opens the next when it is lost
    committed    recognized by the service: audio before the *commit point* is not needed by a later link
    settled      committed, and the user has taken the events that cover it: see `replay_log`
    delivered    put into the queue of events for the user (`RecognitionMachine.deliver`)
    span         the samples from the start to the end of a transcript or a word
    announced    told by an interim, or by a message that speech began, before its final: see `announcements`
    owed         announced, and its final has not come; in `replay_log`: captured, and neither settled nor evicted
    open         owed, or loud enough to be speech of which nothing was said: it holds the commit back, see `evidence`
    request      a finalize or the close message, which the service is to answer: see `finalization`
    mark         a finalize or a change of settings that is to be sent at a certain sample: see `queued_commands`
    watermark    a message that tells up to where the service has recognized the audio (`Acknowledged`)
    lead-in      committed audio that a new link is sent once more, so that it hears the last words whole
    cut          the commit point when a link opens: words before it were delivered from earlier links
    seam         the joint between two links' transcripts, at which repeated words are removed: see `reconciliation`
    old          (of a word or a final) delivered before, and told again
    feed         what gives one link its audio: see `outgoing_audio`
    news         a message that tells something that was not known before
"""
