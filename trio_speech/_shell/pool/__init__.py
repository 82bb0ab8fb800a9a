"""The pool of speech connections on trio: dialed, pinged, leased, drained."""
