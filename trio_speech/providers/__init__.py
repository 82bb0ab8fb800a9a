"""Wire codecs: one room per provider. They turn bytes into the core's messages and back, and do no I/O."""
